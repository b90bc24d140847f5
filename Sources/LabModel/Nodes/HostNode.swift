import LabKit

extension Host: NodeModel {
  package static let word = "host"

  /// The fabric forwards frames and has no addresses. IPv6 would only add noise to captures, and is the largest avoidable
  /// cost of bringing a lab up. Neutron sets the ARP settings on each qbr.
  package func settings(with ports: [ResolvedPort]) -> NodeSettings {
    NodeSettings(hasIPv6: false, arpIgnore: 1, arpAnnounce: 2)
  }
}
