import Netlink
import Values

/// A device in one of a lab's namespaces.
package struct Place: Hashable, Sendable {
  /// The `ip netns` name.
  package var namespace: String
  /// The ifindex there.
  package var index: Int32

  package init(namespace: String, index: Int32) {
    self.namespace = namespace
    self.index = index
  }
}

/// What the kernel holds in one namespace; of what was not read, nothing.
package struct NodeState: Sendable {
  /// The `ip netns` name.
  package let name: String
  package let links: [Netlink.Link]
  /// The other ends of veths; those outside of the lab are not there.
  package internal(set) var peers: [Int32: Place] = [:]
  package internal(set) var addresses: [LinkAddress] = []
  package internal(set) var routes: [Netlink.Route] = []
  /// Neighbours, forwarding entries, rules and queueing disciplines: all, or those that somebody added.
  package internal(set) var entries: [Netlink.TableEntry] = []
  /// Of bridges that filter, and of their ports.
  package internal(set) var vlans: [PortVLANs] = []
  /// Of veths.
  package internal(set) var offloads: [Int32: Set<Offload>] = [:]
  /// By path below /proc/sys; what the kernel does not have is not there.
  package internal(set) var settings: [String: String] = [:]

  /// Where links are, by ifindex and by name; few are found faster by looking at each.
  private var positions: (byIndex: [Int32: Int], byName: [String: Int])?

  init(name: String, links: [Netlink.Link]) {
    (self.name, self.links) = (name, links)
    if links.count < 16 { return }
    positions = (
      Dictionary(links.enumerated().map { ($1.index, $0) }, uniquingKeysWith: { first, _ in first }),
      Dictionary(links.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    )
  }

  package subscript(index: Int32) -> Netlink.Link? {
    guard let positions else { return links.first { $0.index == index } }
    return positions.byIndex[index].map { links[$0] }
  }

  package subscript(name: String) -> Netlink.Link? {
    guard let positions else { return links.first { $0.name == name } }
    return positions.byName[name].map { links[$0] }
  }

  package var neighbours: [Netlink.Neighbour] {
    entries.compactMap { if case .neighbour(let value) = $0.content { value } else { nil } }
  }

  package var forwarding: [ForwardingEntry] {
    entries.compactMap { if case .forwarding(let value) = $0.content { value } else { nil } }
  }

  package var rules: [Rule] {
    entries.compactMap { if case .rule(let value) = $0.content { value } else { nil } }
  }

  package var qdiscs: [Qdisc] {
    entries.compactMap { if case .qdisc(let value) = $0.content { value } else { nil } }
  }

  /// The bridges, and whether each filters VLANs.
  package var bridges: [(index: Int32, isFiltering: Bool)] {
    links.compactMap { link in
      if case .bridge(let options) = link.kind { (link.index, options.vlanFiltering == true) } else { nil }
    }
  }
}

extension NodeState {
  /// Reads some aspects, and settings by their paths below /proc/sys.
  mutating func read(
    _ aspects: KernelState.Aspects, settings paths: [String], in namespace: OpenNamespace
  ) throws(NetlinkError) {
    let connection = namespace.connection
    if aspects.contains(.addresses) { addresses = try connection.addresses() }
    if aspects.contains(.allRoutes) {
      routes = try connection.routes()
    } else if aspects.contains(.mainRoutes) {
      routes = try connection.routes(table: Netlink.Route.mainTable)
    }
    let bridges = bridges
    if aspects.contains(.allEntries) {
      entries = try connection.tableEntries(withBridges: !bridges.isEmpty) { _ in true }
    } else if aspects.contains(.addedEntries) {
      let own = Set(links.compactMap(\.address))
      entries = try connection.tableEntries(withBridges: !bridges.isEmpty) { $0.isAdded(besides: own) }
    }
    if aspects.contains(.vlans) {
      // Without filtering the kernel lists a default VLAN that means nothing.
      let filtering = Set(bridges.filter(\.isFiltering).map(\.index))
      if !filtering.isEmpty {
        vlans = try connection.bridgeVLANs().filter { port in
          filtering.contains(port.link) || self[port.link]?.master.map(filtering.contains) == true
        }
      }
    }
    if aspects.contains(.offloads) {
      for link in links where link.kind == .veth {
        // One that is gone in the meantime is missed elsewhere.
        offloads[link.index] = try? connection.offloads(ofLink: link.name)
      }
    }
    guard !paths.isEmpty else { return }
    let values = try namespace.namespace.readSysctls(paths, through: namespace.sysctlView)
    for (path, value) in zip(paths, values) { settings[path] = try? value.get() }
  }
}
