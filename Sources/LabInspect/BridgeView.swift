import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

/// A bridge with its ports: a block of `netlab show LAB bridges`.
package struct BridgeView: Codable, Sendable {
  package var node: String
  package var name: String
  /// As `brctl show` writes it: priority and MAC, `8000.02f15c3c6a4b`.
  package var id: String
  package var stp: Bool
  package var vlanFiltering: Bool
  /// In seconds; 0 forgets at once.
  package var ageing: Double
  package var isUp: Bool
  package var ports: [Port]

  package struct Port: Codable, Sendable {
    package var name: String
    /// `forwarding`, `blocking` …, as `bridge link` says it.
    package var state: String
    /// As `bridge vlan show` says them: `1 PVID Egress Untagged`.
    package var vlans: [String]
    /// The other end of its cable, `focal-1:eth0`.
    package var peer: String?
    /// What is set otherwise than by default: `isolated`, `learning off` …
    package var flags: [String]
  }
}

extension Inspection {
  /// All bridges of all nodes, with their ports.
  package func bridges() -> [BridgeView] {
    nodes.flatMap { node in
      node.state.links.sorted { $0.name < $1.name }.compactMap { link -> BridgeView? in
        guard case .bridge(let options) = link.kind else { return nil }
        let ports = node.state.links.filter { $0.master == link.index }.sorted { $0.name < $1.name }
        let mac = link.address.map { "\($0)".filter { $0 != ":" } } ?? ""
        return BridgeView(
          node: node.name, name: link.name, id: hex(options.priority ?? 0x8000) + "." + mac,
          stp: options.stpState == true, vlanFiltering: options.vlanFiltering == true,
          ageing: Double(options.ageingTime ?? 0) / 100, isUp: link.isUp,
          ports: ports.map { view(of: $0, on: node.name, isFiltered: options.vlanFiltering == true) })
      }
    }
  }

  private func view(of port: Netlink.Link, on node: String, isFiltered: Bool) -> BridgeView.Port {
    let device = LabDevice(node: node, name: port.name)
    let state = port.bridgePort?.state.map { "\($0)" } ?? "unknown"
    return BridgeView.Port(
      name: port.name, state: port.isUp ? state : "down",
      vlans: isFiltered ? wiring.vlans(of: device).map(\.text) : [],
      peer: wiring.peer(of: device).map { $0.node == node ? $0.name : "\($0)" },
      flags: port.bridgePort.map { $0.unusual.map { BridgePortOptions.text($0, !$0.isUsual) } } ?? [])
  }
}

private func hex(_ value: UInt16) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 4 - digits.count) + digits
}
