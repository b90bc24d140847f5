import LabModel
import Netlink
import Values

extension Address: KernelResource, Requested {
  private func request(_ target: RequestTarget) throws(StepFailure) -> LinkAddress {
    // The lab's addresses are checked to be unique, so IPv6 need not spend a second looking for another owner.
    LinkAddress(
      link: try target.index(device), address: address, skipsDuplicateDetection: address.family == .ipv6)
  }

  package func appendAdding(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.addAddress(try request(target))
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.deleteAddress(try request(target))
  }
}
