import LabKit
import Values

/// An address of an interface: `ip address add ADDRESS/LENGTH dev DEVICE`.
package struct Address: Hashable, Sendable {
  package var namespace: String
  package var device: String
  package var address: IPPrefix
  package var origin: SourceLocation?

  package init(namespace: String, device: String, address: IPPrefix, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.device = device
    self.address = address
    self.origin = origin
  }
}

extension Address: SimpleResource {
  package var identity: OwnedKey<IPPrefix> {
    OwnedKey(namespace: namespace, device: device, value: address)
  }
  package var owner: String? { device }
  package var description: String { "address \(address) of \(device)" }
  package var label: String { "\(address)" }
  package var features: [KernelFeature] { address.family == .ipv6 ? [.ipv6] : [] }

  package static let added = Stage(after: Link.bridgesUp)

  /// A link that goes down loses its IPv6 addresses.
  package func survives(_ removal: Removal) -> Bool {
    removal.leaves(namespace, device)
      && !(address.family == .ipv6
        && removal.stopped.contains(LinkKey(namespace: namespace, name: device)))
  }

  package func command(_ verb: String) -> String {
    let flags = verb == "add" && address.family == .ipv6 ? " nodad" : ""
    return "ip -n \(namespace) address \(verb) \(address) dev \(device.shellQuoted)\(flags)"
  }
}

extension Blueprint {
  package var addresses: [Address] {
    get { self[Address.self] }
    _modify { yield &self[Address.self] }
  }
}
