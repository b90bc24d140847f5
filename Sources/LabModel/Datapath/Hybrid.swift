import LabKit

/// Neutron's ML2/OVS wiring with hybrid plug, with a VLAN-aware Linux bridge in Open vSwitch's place.
///
/// Each port has a chain of its own: tap → `qbr` (a bridge for this port alone) → `qvb`/`qvo` (a veth pair) → `br-int`,
/// which gives the port its network's tag: untagged frames from the VM belong to that VLAN, and leave it untagged.
package enum Hybrid: DatapathWiring {
  /// VLAN ids 1 to 4094.
  private static let tagsPerHost = 4094

  package static let foreignDevices = ["brq"]

  package static func device(_ role: CapturePoint.FabricRole, of port: ResolvedPort) -> String? {
    switch role {
    case .tap: DeviceName.tap(port)
    case .qbr: DeviceName.qbr(port)
    case .qvb: DeviceName.qvb(port)
    case .qvo: DeviceName.qvo(port)
    }
  }

  package static func taggedDevice(of port: ResolvedPort) -> String? { DeviceName.qvo(port) }

  package static func network(
    inBridge bridge: String, tag: Int?, on host: ResolvedNode, of lab: ResolvedLab
  ) -> Int? {
    host.tags.first { $0.value == tag }?.key
  }

  package static func check(_ host: ResolvedNode, ports: [ResolvedPort], in resolver: inout Resolver) {
    if ports.count > Bridge.portLimit {
      resolver.report(
        "host '\(host.name)' has \(ports.count) ports on br-int; a bridge takes at most \(Bridge.portLimit)",
        at: host.location, fix: "spread the VMs over several hosts")
    }
    if host.tags.count > tagsPerHost {
      resolver.report(
        "host '\(host.name)' has \(host.tags.count) networks; there are \(tagsPerHost) VLAN tags",
        at: host.location, fix: "spread the networks over several hosts")
    }
  }

  package static func addWiring(to realiser: inout Realiser) {
    for host in realiser.lab.hosts { addIntegrationBridge(on: host, to: &realiser) }
    for vm in realiser.lab.vms {
      for port in vm.ports {
        addPlug(for: port, vm: vm, to: &realiser)
        realiser.addTap(of: port, vm: vm, pluggedInto: DeviceName.qbr(port))
        for subport in port.subports {
          addPlug(for: subport, vm: vm, to: &realiser)
          realiser.addSubinterfaces(of: subport, parent: port, vm: vm, pluggedInto: DeviceName.qbr(subport))
        }
      }
    }
  }

  private static func addIntegrationBridge(on host: ResolvedNode, to realiser: inout Realiser) {
    realiser.add(
      Link(
        namespace: realiser.lab.namespace(of: host.name), name: DeviceName.integrationBridge,
        // Without a default PVID no port is a member of any VLAN until it is given one.
        kind: Bridge(
          vlanFiltering: true, defaultPVID: 0, stp: false, forwardDelay: 0, multicastSnooping: false),
        // A bridge's MTU follows that of its smallest port.
        mtu: realiser.ports[host.name]?.map(\.mtu).min(), origin: host.location),
      role: "\(host.name)/\(DeviceName.integrationBridge)")
  }

  /// The port's own bridge, and the veth pair from there to `br-int`, as os-vif makes them.
  private static func addPlug(for port: ResolvedPort, vm: ResolvedNode, to realiser: inout Realiser) {
    let host = realiser.lab.namespace(of: vm.host)
    let (qbr, qvb, qvo) = (DeviceName.qbr(port), DeviceName.qvb(port), DeviceName.qvo(port))
    let label = realiser.label(port, vm)
    realiser.add(
      Link(
        namespace: host, name: qbr,
        kind: Bridge(defaultPVID: 0, stp: false, forwardDelay: 0, ageingTime: 0, multicastSnooping: false),
        mtu: port.mtu, origin: port.location), altname: "qbr-\(label)")
    realiser.add(
      Link(
        namespace: host, name: qvb, kind: Veth(peerNamespace: host, peer: qvo), mtu: port.mtu, master: qbr,
        isPromiscuous: true, origin: port.location), altname: "qvb-\(label)")
    realiser.add(
      Link(
        namespace: host, name: qvo, kind: Veth(peerNamespace: host, peer: qvb), mtu: port.mtu,
        master: DeviceName.integrationBridge, isPromiscuous: true, origin: port.location),
      altname: "qvo-\(label)")
    guard let tag = realiser.tags[vm.host]?[port.network] else { return }
    realiser.vlans.append(
      BridgeVLAN(
        namespace: host, device: qvo, vid: tag, isPVID: true, isUntagged: true, origin: port.location))
  }
}
