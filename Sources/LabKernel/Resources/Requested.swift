import LabModel
import Netlink

/// A resource that is added by one netlink request and deleted by one.
package protocol Requested: Addable {
  func appendAdding(to batch: inout Batch, in target: RequestTarget) throws(StepFailure)
  func appendDeleting(to batch: inout Batch, in target: RequestTarget) throws(StepFailure)
}

extension AddOrDelete: ExecutableStep, RequestStep where Kind: Requested {
  package func append(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    switch self {
    case .add(let resource): try resource.appendAdding(to: &batch, in: target)
    case .delete(let resource): try resource.appendDeleting(to: &batch, in: target)
    }
  }
}
