import LabKernel
import LabModel
import Netlink
import Values

// The snapshot as a function of what was read.

extension KernelSnapshot {
  /// The settings that decide about packets, below /proc/sys.
  static let settingPaths = [
    "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/all/arp_ignore", "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/icmp_echo_ignore_broadcasts", "net/ipv6/icmp/echo_ignore_all",
    "net/bridge/bridge-nf-call-iptables",
  ]

  init(_ kernel: KernelState, of lab: ResolvedLab) {
    self.init(lab: lab.name)
    virtualMachines = Set(lab.vms.map { lab.namespace(of: $0.name) })
    nodes = kernel.nodes.mapValues { NodeSnapshot($0) }
  }
}

extension NodeSnapshot {
  fileprivate init(_ node: NodeState) {
    for link in node.links { devices[link.index] = Device(link, peer: node.peers[link.index]) }
    (addresses, routes, rules, settings) = (node.addresses, node.routes, node.rules, node.settings)
    for neighbour in node.neighbours where !neighbour.flags.contains(.proxy) {
      neighbours[NeighbourKey(device: neighbour.link, address: neighbour.address)] = NeighbourEntry(neighbour)
    }
    for entry in node.forwarding {
      guard let bridge = entry.master else { continue }
      let key = ForwardingKey(bridge: bridge, mac: entry.address, vlan: Int(entry.vlan ?? 0))
      forwarding[key] = ForwardingPort(
        device: entry.link, isLocal: entry.state.contains(.permanent),
        isSticky: entry.flags.contains(.sticky),
        kind: entry.state.contains(.noARP) ? "static" : "dynamic")
    }
    for port in node.vlans {
      let vlans = Dictionary(
        port.vlans.map {
          (Int($0.first), Device.VLANFlags(isPVID: $0.isPVID, isUntagged: $0.isUntagged))
        }, uniquingKeysWith: { _, last in last })
      devices[port.link]?.port?.vlans = vlans
      if case .bridge(var bridge) = devices[port.link]?.kind {
        bridge.vlans = vlans
        devices[port.link]?.kind = .bridge(bridge)
      }
    }
  }
}

extension Device {
  fileprivate init(_ link: Netlink.Link, peer: Place?) {
    let kind: Kind =
      switch link.kind {
      case .veth: .veth(peer: peer)
      case .bridge(let options):
        .bridge(
          Bridge(
            filtersVLANs: options.vlanFiltering == true, ageing: Int(options.ageingTime ?? 30000),
            hasSTP: options.stpState == true, snoops: options.multicastSnooping == true,
            callsIPTables: options.callIPTables == true))
      case .vlan(let vlan): .vlan(id: Int(vlan.id), parent: link.parent ?? 0)
      case nil where link.flags.contains(.loopback): .loopback
      case let kind: .other(kind?.name ?? "hardware")
      }
    self.init(index: link.index, name: link.name, kind: kind)
    mac = link.address ?? mac
    mtu = Int(link.mtu)
    isUp = link.isUp
    hasCarrier = link.hasCarrier != false
    usesARP = !link.flags.contains(.noARP)
    isPromiscuous = link.flags.contains(.promiscuous)
    master = link.master
    port = link.bridgePort.map { Port(options: $0) }
    reversePathFilter = Int(link.ipv4?.reversePathFilter ?? 0)
    arpIgnore = Int(link.ipv4?.arpIgnore ?? 0)
    forwards = link.ipv4?.forwarding ?? 0 != 0
    disablesIPv6 = link.ipv6?.isDisabled ?? true
  }
}

extension NeighbourEntry {
  fileprivate init(_ neighbour: Netlink.Neighbour) {
    let isKnown = !neighbour.state.isEmpty && neighbour.state.isDisjoint(with: [.failed, .incomplete])
    self.init(mac: isKnown ? neighbour.linkLayerAddress : nil, state: neighbour.state)
  }
}
