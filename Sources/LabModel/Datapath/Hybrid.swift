import LabKit
import Values

extension Realiser {
  /// Neutron's ML2/OVS wiring with hybrid plug, with a VLAN-aware Linux bridge in Open vSwitch's place.
  ///
  /// Each port has a chain of its own: tap → `qbr` (a bridge for this port alone) → `qvb`/`qvo` (a veth pair) → `br-int`,
  /// which gives the port its network's tag: untagged frames from the VM belong to that VLAN, and leave it untagged.
  mutating func addHybridWiring() {
    for host in lab.hosts { addIntegrationBridge(on: host) }
    for vm in lab.vms {
      for port in vm.ports {
        addPlug(for: port, vm: vm)
        addTap(of: port, vm: vm, pluggedInto: DeviceName.qbr(port))
        for subport in port.subports {
          addPlug(for: subport, vm: vm)
          addSubinterfaces(of: subport, parent: port, vm: vm, pluggedInto: DeviceName.qbr(subport))
        }
      }
    }
  }

  private mutating func addIntegrationBridge(on host: ResolvedHost) {
    add(
      Link(
        namespace: lab.namespace(of: host.name), name: DeviceName.integrationBridge,
        // Without a default PVID no port is a member of any VLAN until it is given one.
        kind: .bridge(
          BridgeOptions(
            vlanFiltering: true, defaultPVID: 0, stp: false, forwardDelay: 0, multicastSnooping: false)),
        // A bridge's MTU follows that of its smallest port.
        mtu: ports[host.name]?.map(\.mtu).min(), origin: host.location),
      role: "\(host.name)/\(DeviceName.integrationBridge)")
  }

  /// The port's own bridge, and the veth pair from there to `br-int`, as os-vif makes them.
  private mutating func addPlug(for port: ResolvedPort, vm: ResolvedVM) {
    let host = lab.namespace(of: vm.host)
    let (qbr, qvb, qvo) = (DeviceName.qbr(port), DeviceName.qvb(port), DeviceName.qvo(port))
    let label = label(port, vm)
    add(
      Link(
        namespace: host, name: qbr,
        kind: .bridge(
          BridgeOptions(
            defaultPVID: 0, stp: false, forwardDelay: 0, ageingTime: 0, multicastSnooping: false)),
        mtu: port.mtu, origin: port.location), altname: "qbr-\(label)")
    add(
      Link(
        namespace: host, name: qvb, kind: .veth(peerNamespace: host, peer: qvo), mtu: port.mtu, master: qbr,
        isPromiscuous: true, origin: port.location), altname: "qvb-\(label)")
    add(
      Link(
        namespace: host, name: qvo, kind: .veth(peerNamespace: host, peer: qvb), mtu: port.mtu,
        master: DeviceName.integrationBridge, isPromiscuous: true, origin: port.location),
      altname: "qvo-\(label)")
    guard let tag = tags[vm.host]?[port.network] else { return }
    blueprint.vlans.append(
      BridgeVLAN(
        namespace: host, device: qvo, vid: tag, isPVID: true, isUntagged: true, origin: port.location))
  }
}
