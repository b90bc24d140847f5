import LabKit
import Values

extension VM: NodeModel {
  package static let word = "VM"

  package func settings(with ports: [ResolvedPort]) -> NodeSettings {
    NodeSettings(
      hasIPv6: ports.contains { port in
        port.addresses.contains { $0.family == .ipv6 }
          || port.routes.contains { $0.destination.family == .ipv6 }
      })
  }
}
