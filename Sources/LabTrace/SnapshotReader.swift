import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

extension KernelSnapshot {
  /// Reads what decides about packets from all namespaces of a lab.
  init(of lab: ResolvedLab, _ namespaces: OpenNamespaces) throws(NetlinkError) {
    self.init(lab: lab.name)
    virtualMachines = Set(lab.vms.map { lab.namespace(of: $0.name) })
    var links: [String: [Netlink.Link]] = [:]
    for (name, namespace) in namespaces.byName { links[name] = try namespace.readLinks() }
    let cables = Cables(links, namespaces)
    for (name, namespace) in namespaces.byName {
      nodes[name] = try NodeSnapshot(namespace, links[name] ?? [], cables)
    }
  }
}

/// Finds the other ends of veth pairs.
private struct Cables {
  private var ends: [End: [String]] = [:]
  private let namespaces: OpenNamespaces

  private struct End: Hashable {
    var index: Int32
    var peer: Int32
  }

  init(_ links: [String: [Netlink.Link]], _ namespaces: OpenNamespaces) {
    self.namespaces = namespaces
    for (name, links) in links {
      for link in links where link.kind == .veth {
        ends[End(index: link.index, peer: link.parent ?? 0), default: []].append(name)
      }
    }
  }

  func peer(of link: Netlink.Link, in namespace: OpenNamespace) throws(NetlinkError) -> Place? {
    guard let parent = link.parent else { return nil }
    for candidate in ends[End(index: parent, peer: link.index)] ?? [] {
      let isSame = candidate == namespace.name
      if isSame != (link.parentNamespaceID == nil) { continue }
      if !isSame, let other = namespaces[candidate],
        try namespace.connection.namespaceID(of: other.namespace) != link.parentNamespaceID
      {
        continue
      }
      return Place(namespace: candidate, index: parent)
    }
    return nil
  }
}

extension NodeSnapshot {
  /// The settings that decide about packets, below /proc/sys.
  private static let settingPaths = [
    "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/all/arp_ignore", "net/ipv4/icmp_echo_ignore_all",
    "net/ipv4/icmp_echo_ignore_broadcasts", "net/ipv6/icmp/echo_ignore_all",
    "net/bridge/bridge-nf-call-iptables",
  ]

  fileprivate init(
    _ namespace: OpenNamespace, _ links: [Netlink.Link], _ cables: Cables
  ) throws(NetlinkError) {
    let connection = namespace.connection
    for link in links {
      devices[link.index] = Device(link, peer: try cables.peer(of: link, in: namespace))
    }
    addresses = try connection.addresses().map(OwnAddress.init)
    routes = try connection.routes().compactMap(RoutingEntry.init)
    rules = try connection.rules().map(RoutingRule.init)
    for neighbour in try connection.neighbours() where !neighbour.flags.contains(.proxy) {
      neighbours[NeighbourKey(device: neighbour.link, address: neighbour.address)] = NeighbourEntry(neighbour)
    }
    try readBridges(connection, links)
    let values = try namespace.namespace.readSysctls(Self.settingPaths, through: namespace.sysctlView)
    for (path, value) in zip(Self.settingPaths, values) { settings[path] = try? value.get() }
  }

  private mutating func readBridges(
    _ connection: Connection, _ links: [Netlink.Link]
  ) throws(NetlinkError) {
    let bridges = links.compactMap { link in
      if case .bridge(let options) = link.kind { (link.index, options.vlanFiltering == true) } else { nil }
    }
    guard !bridges.isEmpty else { return }
    for entry in try connection.forwardingEntries() {
      guard let bridge = entry.master else { continue }
      let key = ForwardingKey(bridge: bridge, mac: entry.address, vlan: Int(entry.vlan ?? 0))
      forwarding[key] = ForwardingPort(
        device: entry.link, isLocal: entry.state.contains(.permanent),
        isSticky: entry.flags.contains(.sticky),
        kind: entry.state.contains(.noARP) ? "static" : "dynamic")
    }
    guard bridges.contains(where: \.1) else { return }
    for port in try connection.bridgeVLANs() {
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
      case nil: .other("hardware")
      case .vxlan: .other("vxlan")
      case .dummy: .other("dummy")
      case .tun: .other("tun")
      case .other(let kind): .other(kind)
      }
    self.init(index: link.index, name: link.name, kind: kind)
    mac = link.address ?? mac
    mtu = Int(link.mtu)
    isUp = link.isUp
    hasCarrier = link.hasCarrier != false
    usesARP = !link.flags.contains(.noARP)
    isPromiscuous = link.flags.contains(.promiscuous)
    master = link.master
    port = link.bridgePort.map(Port.init)
    reversePathFilter = Int(link.ipv4?.reversePathFilter ?? 0)
    arpIgnore = Int(link.ipv4?.arpIgnore ?? 0)
    forwards = link.ipv4?.forwarding ?? 0 != 0
    disablesIPv6 = link.ipv6?.isDisabled ?? true
  }
}

extension Device.Port {
  fileprivate init(_ options: Netlink.BridgePortOptions) {
    state = options.state.map { "\($0)" } ?? state
    learning = options.learning ?? learning
    unicastFlood = options.unicastFlood ?? unicastFlood
    multicastFlood = options.multicastFlood ?? multicastFlood
    broadcastFlood = options.broadcastFlood ?? broadcastFlood
    hairpin = options.hairpin ?? hairpin
    isolated = options.isolated ?? isolated
    locked = options.locked ?? locked
    suppressesNeighbours = options.neighbourSuppression ?? suppressesNeighbours
  }
}

extension OwnAddress {
  fileprivate init(_ address: LinkAddress) {
    self.init(
      device: address.link, prefix: address.address, isDuplicate: address.isDuplicate,
      isTentative: address.isTentative)
  }
}

extension RoutingEntry {
  fileprivate init?(_ route: Netlink.Route) {
    let kinds: [Netlink.Route.Kind: Kind] = [
      .unicast: .unicast, .local: .local, .broadcast: .broadcast, .anycast: .anycast, .multicast: .multicast,
      .blackhole: .blackhole, .unreachable: .unreachable, .prohibit: .prohibit, .throw: .throw,
    ]
    guard let kind = kinds[route.kind] else { return nil }
    self.init(table: route.table, destination: route.destination)
    self.kind = kind
    // Of several ways, the first stands for all.
    gateway = route.gateway ?? route.nextHops.first?.gateway
    device = route.link ?? route.nextHops.first?.link
    metric = Int(route.priority ?? 0)
    preferredSource = route.preferredAddress
    mtu = route.mtu.map(Int.init)
  }
}

extension RoutingRule {
  fileprivate init(_ rule: Netlink.Rule) {
    let action: Action =
      switch rule.action {
      case .lookUp: .lookUp
      case .blackhole: .blackhole
      case .unreachable: .unreachable
      case .prohibit: .prohibit
      default: .other
      }
    self.init(isIPv6: rule.isIPv6, priority: rule.priority, table: rule.table, action: action)
    source = rule.source
    destination = rule.destination
    inputDevice = rule.inputLink
    outputDevice = rule.outputLink
    hasMark = rule.mark != nil
  }
}

extension NeighbourEntry {
  fileprivate init(_ neighbour: Netlink.Neighbour) {
    let words: [(NeighbourState, String)] = [
      (.permanent, "PERMANENT"), (.noARP, "NOARP"), (.reachable, "REACHABLE"), (.stale, "STALE"),
      (.delay, "DELAY"), (.probe, "PROBE"), (.failed, "FAILED"), (.incomplete, "INCOMPLETE"),
    ]
    let state = words.first { neighbour.state.contains($0.0) }?.1 ?? "NONE"
    let isValid = !["FAILED", "INCOMPLETE", "NONE"].contains(state)
    self.init(mac: isValid ? neighbour.linkLayerAddress : nil, state: state)
  }
}
