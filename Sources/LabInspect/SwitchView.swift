import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

/// A network as its ports are plugged: a block of `netlab show LAB switch`.
package struct SwitchView: Codable, Sendable {
  /// The network's UUID; absent when what is plugged together is no network of the lab.
  package var id: String?
  /// The network's name, or what its ports have in common: `tag 5 of br-int on compute-1`.
  package var name: String
  package var ports: [Port]

  package struct Port: Codable, Sendable {
    /// The port's UUID, of which the kernel's device names hold the beginning.
    package var id: String?
    /// `focal-1`, or `trunk eth0.100` where it is not the VM's first interface.
    package var alias: String
    /// The VLAN id that it has inside the VM, for a subport.
    package var parentTag: Int?
    package var tag: Int?
    /// MAC and IP addresses.
    package var address: String
    /// `qvode4f2069-52 in br-int on compute-1`
    package var plugged: String
  }
}

extension Inspection {
  /// The lab's networks in the shape of `ovn-nbctl show`, by what the kernel has plugged together.
  package func switches() -> [SwitchView] {
    let groups = Dictionary(grouping: wiring.ports, by: title)
    let networks = lab.networks.map {
      SwitchView(id: $0.id, name: $0.name, ports: views(groups[$0.name] ?? []))
    }
    let names = Set(lab.networks.map(\.name))
    let others = groups.filter { !names.contains($0.key) }.sorted { $0.key < $1.key }
    return networks + others.map { SwitchView(id: nil, name: $0.key, ports: views($0.value)) }
  }

  /// What a port shares with those that it can reach.
  private func title(of port: WiredPort) -> String {
    if let network = port.network { return network }
    guard let bridge = port.bridge else { return "not plugged in" }
    let place = "\(bridge.name) on \(bridge.node)"
    return port.isTagged ? "\(port.tag.map { "tag \($0)" } ?? "no tag") of \(place)" : place
  }

  private func views(_ ports: [WiredPort]) -> [SwitchView.Port] {
    ports.map { port in
      let resolved = lab.vm(port.interface.node)?.allPorts.first { $0.device == port.interface.name }
      let isFirst = lab.vm(port.interface.node)?.ports.first?.device == port.interface.name
      let end = port.chain.last.map { "\($0.name) in " } ?? ""
      return SwitchView.Port(
        id: resolved?.id, alias: port.interface.node + (isFirst ? "" : " \(port.interface.name)"),
        parentTag: resolved?.vlan, tag: port.tag,
        address: ([port.mac.map { "\($0)" } ?? "no MAC"] + port.addresses.map { "\($0.address)" })
          .joined(separator: " "),
        plugged: port.bridge.map { "\(end)\($0.name) on \($0.node)" }
          ?? port.chain.last.map { "\($0.name) on \($0.node), which leads nowhere" } ?? "nowhere")
    }
  }
}
