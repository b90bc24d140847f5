import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// Reads what a lab's namespaces hold, in the same terms as a blueprint.
package struct Observer {
  let namespaces: OpenNamespaces
  let ownership: Ownership
  /// The links of each namespace, by its name.
  private var links: [String: [Netlink.Link]] = [:]
  private var ends: [CableEnd: [(namespace: String, link: Netlink.Link)]] = [:]
  private let numbers = NamespaceNumbers()

  /// The names that the lab knows its links by, where somebody renamed them: by namespace and ifindex.
  private var knownNames: [String: [Int32: String]] = [:]

  /// Devices in the lab's namespaces that the lab did not make.
  package private(set) var unmanaged: [LabModel.Link] = []

  package init(_ namespaces: OpenNamespaces, ownership: Ownership) {
    self.namespaces = namespaces
    self.ownership = ownership
  }

  /// Where a cable ends, as each of its two ends knows it.
  private struct CableEnd: Hashable {
    var index: Int32
    var peer: Int32
  }

  /// Observes the lab; of the settings, those that are of interest.
  package mutating func observe(settings: [LabModel.Sysctl]) throws(NetlinkError) -> Blueprint {
    try readLinks()
    var observed = Blueprint()
    let keys = Dictionary(grouping: settings, by: \.namespace)
    for name in namespaces.byName.keys.sorted() {
      guard let namespace = namespaces[name] else { continue }
      observed.namespaces.append(Namespace(name: name))
      var managed: Set<Int32> = []
      let names = deviceNames(of: namespace)
      for link in try labLinks(of: namespace, names) {
        if ownership.covers(link) {
          observed.links.append(link)
          if let index = namespace.indices[link.name] { managed.insert(index) }
        } else {
          unmanaged.append(link)
        }
      }
      try observeSettings(keys[name] ?? [], in: namespace, into: &observed)
      let ownNames = names.filter { managed.contains($0.key) }
      try observeVLANs(of: namespace, ownNames, into: &observed)
      try observeAddresses(of: namespace, ownNames, into: &observed)
      try observeRoutes(of: namespace, ownNames, into: &observed)
      observed.entries += try EntryReader(
        namespace: namespace, links: links[name] ?? [], names: ownNames
      ).read()
    }
    return observed
  }

  /// Observes only which links there are that the lab did not make.
  package mutating func findUnmanaged() throws(NetlinkError) {
    try readLinks()
    for namespace in namespaces.byName.values {
      unmanaged += try labLinks(of: namespace, deviceNames(of: namespace), findingPeers: false).filter {
        !ownership.covers($0)
      }
    }
  }

  private mutating func readLinks() throws(NetlinkError) {
    for (name, namespace) in namespaces.byName {
      let found = try namespace.readLinks()
      knownNames[name] = ownership.knownNames(of: found, in: name)
      namespace.learn(found, as: knownNames[name] ?? [:])
      links[name] = found
      for link in found where link.kind == .veth {
        ends[CableEnd(index: link.index, peer: link.parent ?? 0), default: []].append((name, link))
      }
    }
  }

  private func observeSettings(
    _ wanted: [LabModel.Sysctl], in namespace: OpenNamespace, into observed: inout Blueprint
  ) throws(NetlinkError) {
    guard !wanted.isEmpty else { return }
    let values = try namespace.namespace.readSysctls(wanted.map(\.path), through: namespace.sysctlView)
    for (sysctl, value) in zip(wanted, values) {
      // A setting that the kernel does not have (no IPv6) is as if it were wanted so.
      observed.sysctls.append(
        LabModel.Sysctl(namespace: namespace.name, key: sysctl.key, value: (try? value.get()) ?? sysctl.value)
      )
    }
  }

  private func labLinks(
    of namespace: OpenNamespace, _ names: [Int32: String], findingPeers: Bool = true
  ) throws(NetlinkError) -> [LabModel.Link] {
    let found = links[namespace.name] ?? []
    return try found.map { link throws(NetlinkError) in
      let view = View(names: names, peer: findingPeers ? try peer(of: link, in: namespace) : nil)
      let kind = linkKind(of: link, in: view)
      let name = names[link.index] ?? link.name
      var observed = LabModel.Link(
        namespace: namespace.name, name: name, kind: kind, mac: link.address,
        mtu: Int(link.mtu), master: link.master.flatMap { names[$0] }, isUp: link.isUp,
        isPromiscuous: link.flags.contains(.promiscuous), alias: link.alias, altnames: link.alternativeNames)
      if name != link.name { observed.presentName = link.name }
      observed.options = link.options
      // One that is gone in the meantime is missed elsewhere.
      if link.kind == .veth, findingPeers,
        let offloads = try? namespace.connection.offloads(ofLink: link.name)
      {
        observed.options.add(offloads)
      }
      return observed
    }
  }

  private struct View: LinkView {
    let names: [Int32: String]
    let peer: LinkKey?

    func name(of index: Int32?) -> String? { index.flatMap { names[$0] } }
    func peer(of link: Netlink.Link) -> LinkKey? { peer }
  }

  /// Finds the other end of a cable: of all ends that could be it, the one that the kernel says.
  private func peer(of link: Netlink.Link, in namespace: OpenNamespace) throws(NetlinkError) -> LinkKey? {
    guard link.kind == .veth, let peer = link.parent else { return nil }
    for end in ends[CableEnd(index: peer, peer: link.index)] ?? [] {
      guard let other = namespaces[end.namespace] else { continue }
      if other === namespace {
        guard link.parentNamespaceID == nil else { continue }
      } else {
        guard try isPeer(link, in: namespace, of: end.link, in: other) else { continue }
      }
      let name = knownNames[end.namespace]?[peer] ?? end.link.name
      return LinkKey(namespace: end.namespace, name: name)
    }
    return nil
  }

  /// Whether two ends in different namespaces, each of which names the other's ifindex, are of one cable.
  ///
  /// One end is enough to tell, since each has only one peer. It is that in the namespace with fewer links, because the
  /// kernel looks through all namespaces that a namespace knows.
  private func isPeer(
    _ first: Netlink.Link, in one: OpenNamespace, of second: Netlink.Link, in other: OpenNamespace
  ) throws(NetlinkError) -> Bool {
    guard let firstNumber = first.parentNamespaceID, let secondNumber = second.parentNamespaceID else {
      return false
    }
    let oneIsSmaller = (links[one.name]?.count ?? 0) < (links[other.name]?.count ?? 0)
    return oneIsSmaller
      ? try numbers.number(of: other, in: one) == firstNumber
      : try numbers.number(of: one, in: other) == secondNumber
  }

  private func observeVLANs(
    of namespace: OpenNamespace, _ names: [Int32: String], into observed: inout Blueprint
  ) throws(NetlinkError) {
    // Without filtering the kernel lists a default VLAN that means nothing.
    let filtering = (links[namespace.name] ?? []).filter {
      if case .bridge(let options) = $0.kind { options.vlanFiltering == true } else { false }
    }
    guard !filtering.isEmpty else { return }
    let bridges = Set(filtering.map(\.index))
    let members = (links[namespace.name] ?? []).filter {
      bridges.contains($0.index) || $0.master.map(bridges.contains) == true
    }
    let indices = Set(members.map(\.index))
    for port in try namespace.connection.bridgeVLANs() {
      guard let device = names[port.link], indices.contains(port.link) else { continue }
      for vlan in port.vlans {
        var found = LabModel.BridgeVLAN(
          namespace: namespace.name, device: device, vid: Int(vlan.first), isPVID: vlan.isPVID,
          isUntagged: vlan.isUntagged)
        found.isOnBridge = bridges.contains(port.link)
        observed.vlans.append(found)
      }
    }
  }

  private func observeAddresses(
    of namespace: OpenNamespace, _ names: [Int32: String], into observed: inout Blueprint
  ) throws(NetlinkError) {
    for found in try namespace.connection.addresses() {
      guard let device = names[found.link] else { continue }
      let address = found.address.address
      // What the kernel gives by itself: 127.0.0.1 and ::1, and an IPv6 link-local address for each interface.
      if address.isLoopback || (address.family == .ipv6 && address.isLinkLocal) { continue }
      observed.addresses.append(
        Address(namespace: namespace.name, device: device, address: found.address))
    }
  }

  private func observeRoutes(
    of namespace: OpenNamespace, _ names: [Int32: String], into observed: inout Blueprint
  ) throws(NetlinkError) {
    for route in try namespace.connection.routes(table: Netlink.Route.mainTable) {
      guard route.source != .kernel, route.source != .routerAdvertisement,
        let type = RouteType(route.kind),
        route.link.map({ names[$0] != nil }) != false || route.kind != .unicast
      else { continue }
      observed.routes.append(
        RouteEntry(
          namespace: namespace.name, destination: route.destination, gateway: route.gateway,
          device: route.kind == .unicast ? route.link.flatMap { names[$0] } : nil, type: type,
          metric: route.priority.map(Int.init)))
    }
  }

  private func deviceNames(of namespace: OpenNamespace) -> [Int32: String] {
    let names = (links[namespace.name] ?? []).map { ($0.index, $0.name) }
    return Dictionary(names, uniquingKeysWith: { first, _ in first })
      .merging(knownNames[namespace.name] ?? [:]) { _, known in known }
  }
}
