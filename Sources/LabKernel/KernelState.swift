import Netlink
import Values

/// What the kernel holds of a lab: plain values, of which status, drift, `show`, `graph` and `trace` are functions.
///
/// Its links are read at once, everything else when it is asked for, so that nobody waits for what they do not need.
package struct KernelState: Sendable {
  /// What can be read of a namespace besides its links.
  package struct Aspects: OptionSet, Sendable {
    package var rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Which veths are the two ends of one cable.
    package static let cables = Aspects(rawValue: 1)
    package static let addresses = Aspects(rawValue: 2)
    /// The routes of the table `main`.
    package static let mainRoutes = Aspects(rawValue: 4)
    /// The routes of all tables.
    package static let allRoutes = Aspects(rawValue: 8)
    /// Neighbours, forwarding entries, rules and queueing disciplines that somebody added.
    package static let addedEntries = Aspects(rawValue: 16)
    /// All of those.
    package static let allEntries = Aspects(rawValue: 32)
    package static let vlans = Aspects(rawValue: 64)
    package static let offloads = Aspects(rawValue: 128)
    /// Counters of links.
    package static let statistics = Aspects(rawValue: 256)

    /// What a lab has an opinion of.
    package static let blueprint = kernelResources.reduce(into: Aspects()) { $0.formUnion($1.aspects) }
    /// What there is besides that.
    package static let details: Aspects = [.allRoutes, .allEntries, .statistics]
    /// What decides to whom frames get.
    package static let plugs: Aspects = [.cables, .addresses, .vlans]
    /// What a node that gets a packet looks at.
    package static let stack: Aspects = [.allRoutes, .allEntries]
  }

  /// By `ip netns` name.
  package private(set) var nodes: [String: NodeState] = [:]
  /// The names in the order in which everything is read: what was made together lies together in the kernel's memory.
  let names: [String]

  /// Reads the links of namespaces, with counters if those are among the aspects.
  package init(_ namespaces: OpenNamespaces, reading aspects: Aspects = []) throws(NetlinkError) {
    let statistics = aspects.contains(.statistics)
    names = namespaces.byName.keys.sorted()
    for name in names {
      guard let namespace = namespaces[name] else { continue }
      nodes[name] = NodeState(name: name, links: try namespace.readLinks(withStatistics: statistics))
    }
  }

  package subscript(place: Place) -> Netlink.Link? { nodes[place.namespace]?[place.index] }

  /// Reads aspects of namespaces.
  ///
  /// - Parameters:
  ///   - settings: by the names of namespaces, the paths below /proc/sys that are read there.
  ///   - names: the namespaces of which it is read; `nil`: all. Cables are found between all.
  package mutating func read(
    _ aspects: Aspects, settings: [String: [String]] = [:], of names: Set<String>? = nil,
    in namespaces: OpenNamespaces
  ) throws(NetlinkError) {
    if aspects.contains(.cables) { try findCables(in: namespaces) }
    for name in self.names where names?.contains(name) != false {
      guard let namespace = namespaces[name] else { continue }
      try nodes[name]?.read(aspects, settings: settings[name] ?? [], in: namespace)
    }
  }

  // MARK: - Cables

  /// Where a cable ends, as each of its two ends knows it.
  private struct CableEnd: Hashable {
    var index: Int32
    var peer: Int32
  }

  /// Finds the two ends of each cable: of all that could be the other end, the one that the kernel says.
  private mutating func findCables(in namespaces: OpenNamespaces) throws(NetlinkError) {
    var ends: [CableEnd: [Place]] = [:]
    for (name, node) in nodes {
      for link in node.links {
        guard case .veth = link.kind, let peer = link.parent else { continue }
        ends[CableEnd(index: link.index, peer: peer), default: []].append(
          Place(namespace: name, index: link.index))
      }
    }
    var numbers = NamespaceNumbers(namespaces)
    for (end, places) in ends {
      let others = ends[CableEnd(index: end.peer, peer: end.index)] ?? []
      for place in places where nodes[place.namespace]?.peers[place.index] == nil {
        for other in others where other != place && nodes[other.namespace]?.peers[other.index] == nil {
          guard try areJoined(place, other, &numbers) else { continue }
          nodes[place.namespace]?.peers[place.index] = other
          nodes[other.namespace]?.peers[other.index] = place
          break
        }
      }
    }
  }

  /// Whether two ends, each of which names the other's ifindex, are of one cable.
  ///
  /// One end is enough to tell, since each has only one peer. It is that in the namespace with fewer links, because the
  /// kernel looks through all namespaces that a namespace knows.
  private func areJoined(
    _ first: Place, _ second: Place, _ numbers: inout NamespaceNumbers
  ) throws(NetlinkError) -> Bool {
    let (one, other) = (self[first]?.parentNamespaceID, self[second]?.parentNamespaceID)
    if first.namespace == second.namespace { return one == nil && other == nil }
    guard one != nil, other != nil else { return false }
    func size(_ place: Place) -> Int { nodes[place.namespace]?.links.count ?? 0 }
    return size(first) < size(second)
      ? try numbers.number(of: second.namespace, in: first.namespace) == one
      : try numbers.number(of: first.namespace, in: second.namespace) == other
  }
}

/// The numbers by which namespaces know each other, each asked for once.
private struct NamespaceNumbers {
  private struct Pair: Hashable {
    var namespace: String
    var other: String
  }
  private let namespaces: OpenNamespaces
  private var known: [Pair: Int32?] = [:]

  init(_ namespaces: OpenNamespaces) { self.namespaces = namespaces }

  /// The number of `other` in `namespace`; `nil` when it has none there.
  mutating func number(of other: String, in namespace: String) throws(NetlinkError) -> Int32? {
    let pair = Pair(namespace: namespace, other: other)
    if let number = known[pair] { return number }
    guard let one = namespaces[namespace], let second = namespaces[other] else { return nil }
    let number = try one.connection.namespaceID(of: second.namespace)
    known[pair] = .some(number)
    return number
  }
}
