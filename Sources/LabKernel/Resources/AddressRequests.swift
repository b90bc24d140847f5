import LabModel
import Netlink
import Values

extension Address: KernelResource, Requested {
  package static let aspects: KernelState.Aspects = .addresses

  package static func found(in node: ObservedNode) -> [Address] {
    node.state.addresses.compactMap { found in
      let address = found.address.address
      // What the kernel gives by itself: 127.0.0.1 and ::1, and an IPv6 link-local address for each interface.
      if address.isLoopback || (address.family == .ipv6 && address.isLinkLocal) { return nil }
      return node.name(of: found.link).map {
        Address(namespace: node.name, device: $0, address: found.address)
      }
    }
  }

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
