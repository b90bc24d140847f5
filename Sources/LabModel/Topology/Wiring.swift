import LabKit
import Values

/// A device of a lab, written `focal-1:eth0`.
package struct LabDevice: Hashable, Sendable, CustomStringConvertible {
  /// The VM or host, without the lab's name.
  package var node: String
  package var name: String

  package init(node: String, name: String) {
    self.node = node
    self.name = name
  }

  package var description: String { "\(node):\(name)" }
}

/// How the VMs of a lab are plugged in, found by following cables and bridges from each VM's interfaces.
///
/// It is made from a blueprint or from an observation, and needs to know nothing about datapaths.
package struct Wiring: Sendable {
  /// One for each interface of a VM that a cable or a subinterface is, in the lab's order.
  package private(set) var ports: [WiredPort] = []

  private let lab: ResolvedLab
  private let links: [LabDevice: Link]
  private let bridgePorts: [LabDevice: [LabDevice]]
  private let vlans: [LabDevice: [BridgeVLAN]]
  private let virtualMachines: Set<String>

  package init(_ blueprint: Blueprint, of lab: ResolvedLab) {
    func device(_ namespace: String, _ name: String) -> LabDevice {
      LabDevice(node: String(namespace.dropFirst(lab.name.count + 1)), name: name)
    }
    self.lab = lab
    links = Dictionary(
      blueprint.links.map { (device($0.namespace, $0.name), $0) }, uniquingKeysWith: { first, _ in first })
    bridgePorts = Dictionary(
      grouping: blueprint.links.filter { $0.master != nil }.map { device($0.namespace, $0.name) },
      by: { [links] in LabDevice(node: $0.node, name: links[$0]?.master ?? "") })
    vlans = Dictionary(grouping: blueprint.vlans, by: { device($0.namespace, $0.device) })
    virtualMachines = Set(lab.vms.map(\.name))
    let addresses = Dictionary(grouping: blueprint.addresses, by: { device($0.namespace, $0.device) })
    let interfaces = Dictionary(
      grouping: blueprint.links.filter { !($0.kind is Loopback) }, by: { device($0.namespace, "").node })
    for vm in lab.vms {
      for link in interfaces[vm.name] ?? [] {
        let interface = LabDevice(node: vm.name, name: link.name)
        ports.append(port(of: interface, link, addresses: (addresses[interface] ?? []).map(\.address)))
      }
    }
  }

  package subscript(device: LabDevice) -> Link? { links[device] }

  /// The VLANs that a bridge port, or a bridge, is a member of.
  package func vlans(of device: LabDevice) -> [BridgeVLAN] { vlans[device] ?? [] }

  /// The ports of a bridge.
  package func ports(of bridge: LabDevice) -> [LabDevice] { bridgePorts[bridge] ?? [] }

  /// The other end of a cable.
  package func peer(of device: LabDevice) -> LabDevice? {
    guard let veth = links[device]?.kind as? Veth, veth.peerNamespace.hasPrefix("\(lab.name).")
    else {
      return nil
    }
    let peer = LabDevice(
      node: String(veth.peerNamespace.dropFirst(lab.name.count + 1)), name: veth.peer)
    return links[peer] == nil ? nil : peer
  }

  private func port(of interface: LabDevice, _ link: Link, addresses: [IPPrefix]) -> WiredPort {
    var port = WiredPort(interface: interface, mac: link.mac, mtu: link.mtu, addresses: addresses)
    var start = interface
    var vlan: Int?
    if let subinterface = link.kind as? VLANSubinterface {
      vlan = subinterface.id
      start.name = subinterface.parent
    }
    guard var current = peer(of: start) else { return port }
    port.chain.append(current)
    if let vlan {
      guard let subinterface = subinterface(of: current, vlan) else { return port }
      current = subinterface
      port.chain.append(current)
    }
    while let master = links[current]?.master {
      let bridge = LabDevice(node: current.node, name: master)
      guard !port.chain.contains(bridge), let cable = onward(from: bridge, enteredBy: current) else {
        plug(&port, by: current, into: bridge)
        return port
      }
      port.chain += [bridge, cable.near, cable.far]
      current = cable.far
    }
    return port
  }

  private func subinterface(of parent: LabDevice, _ vlan: Int) -> LabDevice? {
    links.first { device, link in
      device.node == parent.node
        && link.kind as? VLANSubinterface == VLANSubinterface(id: vlan, parent: parent.name)
    }?.key
  }

  /// The cable by which a bridge that serves one port only leads on to another bridge; `nil` for a switch.
  private func onward(from bridge: LabDevice, enteredBy port: LabDevice) -> (near: LabDevice, far: LabDevice)?
  {
    if isFiltering(bridge) { return nil }
    let members = ports(of: bridge)
    guard members.count == 2, let near = members.first(where: { $0 != port }), let far = peer(of: near),
      !virtualMachines.contains(far.node)
    else { return nil }
    return (near, far)
  }

  private func isFiltering(_ bridge: LabDevice) -> Bool {
    (links[bridge]?.kind as? Bridge)?.vlanFiltering == true
  }

  private func plug(_ port: inout WiredPort, by device: LabDevice, into bridge: LabDevice) {
    port.bridge = bridge
    if isFiltering(bridge) {
      port.isTagged = true
      port.tag = vlans(of: device).first(where: \.isPVID)?.vid
    }
    let network = lab.node(bridge.node).flatMap {
      lab.datapath.wiring.network(inBridge: bridge.name, tag: port.tag, on: $0, of: lab)
    }
    port.network = network.map { lab.networks[$0].name }
  }
}

/// A VM's interface, and what lies between it and the switch it is plugged into.
package struct WiredPort: Sendable {
  package var interface: LabDevice
  package var mac: MACAddress?
  /// In bytes.
  package var mtu: Int?
  package var addresses: [IPPrefix]
  /// From the host's end of the VM's cable to the port of the switch, such as tap → qbr → qvb → qvo.
  package var chain: [LabDevice] = []
  /// The bridge that the chain ends in: `br-int`; `nil` when it ends nowhere.
  package var bridge: LabDevice?
  /// Whether the bridge keeps networks apart by tags.
  package var isTagged = false
  /// The VLAN that untagged frames of the port belong to.
  package var tag: Int?
  /// The lab's network that has this tag, or this bridge, on the host.
  package var network: String?

  /// All devices from the interface to the switch.
  package var devices: [LabDevice] { [interface] + chain + (bridge.map { [$0] } ?? []) }
}
