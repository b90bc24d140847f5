import LabModel
import Netlink

/// What the kernel layer knows of a kind of resource: how it is found, and how its steps are taken.
///
/// Each kind of ``ResourceKinds`` has a file in `Resources`; one without does not compile.
package protocol KernelResource: Resource where Step: ExecutableStep {
  /// What has to be read of a namespace, besides its links, to find them.
  static var aspects: KernelState.Aspects { get }
  /// Those that a namespace holds, of what is the lab's.
  static func found(in node: ObservedNode) -> [Self]
}

/// A step that can be taken.
package protocol ExecutableStep: PlanStep {
  /// Takes steps that are due at one time, in their order.
  static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure)
  /// Whether an error means that what was to be done was being done already.
  func isOvertaken(by error: NetlinkError) -> Bool
}

/// A step that is one request to its namespace's connection.
package protocol RequestStep: ExecutableStep {
  /// Another namespace in which it makes something.
  var otherNamespace: String? { get }
  func append(to batch: inout Batch, in target: RequestTarget) throws(StepFailure)
}

extension ExecutableStep {
  package func isOvertaken(by error: NetlinkError) -> Bool { false }
}

extension RequestStep {
  package var otherNamespace: String? { nil }

  package static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure) {
    for step in steps { try applier.enqueue(step) }
  }
}

/// Where a request goes.
package struct RequestTarget {
  let namespace: OpenNamespace
  let others: OpenNamespaces
  let step: any PlanStep

  /// The ifindex of a device.
  func index(_ device: String) throws(StepFailure) -> Int32 {
    guard let index = namespace.indices[device] else {
      throw StepFailure(step: step, problem: "there is no link \(device) in \(namespace.name)")
    }
    return index
  }

  func other(_ name: String) throws(StepFailure) -> OpenNamespace {
    guard let other = others[name] else {
      throw StepFailure(step: step, problem: "there is no namespace \(name)")
    }
    return other
  }
}

/// The kinds, so that each must be one.
let kernelResources: [any KernelResource.Type] = list(ResourceKinds.self)

private func list<each Kind: KernelResource>(_: (repeat each Kind).Type) -> [any KernelResource.Type] {
  var kinds: [any KernelResource.Type] = []
  repeat kinds.append((each Kind).self)
  return kinds
}

extension StepList {
  func execute(by applier: inout Applier) throws(StepFailure) {
    guard let steps = self as? any ExecutableSteps else { preconditionFailure("\(self) cannot be taken") }
    try steps.executeAll(by: &applier)
  }
}

private protocol ExecutableSteps {
  func executeAll(by applier: inout Applier) throws(StepFailure)
}

extension Steps: ExecutableSteps where Step: ExecutableStep {
  fileprivate func executeAll(by applier: inout Applier) throws(StepFailure) {
    try Step.execute(steps, by: &applier)
  }
}
