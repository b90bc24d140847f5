import LabKit
import Values

/// Steps in an order that the kernel accepts: deletions first, then creations from namespaces to routes.
package struct Plan: Sendable {
  package private(set) var steps: [Step] = []

  package var isEmpty: Bool { steps.isEmpty }

  /// The plan as the `ip` and `bridge` commands a person would have typed.
  package var commands: [String] { steps.flatMap(\.commands) }

  private var ranked: [[Step]] = Array(repeating: [], count: Rank.allCases.count)

  /// When a step is due. The order is measured as well as necessary: see `bridgesUp`.
  private enum Rank: Int, CaseIterable {
    case deleteEntries, deleteRoutes, deleteAddresses, deleteVLANs, deleteAltnames, deleteLinks
    case namespaces, sysctls, bridges, cables, cableEnds
    /// A device that is up keeps its name.
    case renames
    case changes
    /// Once their parents are up; and what names them.
    case subinterfaces, subinterfaceMarks
    case ports, settings, altnames, vlans
    /// `br-int` comes up when all its ports are there: each port that joins a bridge which is up re-runs the port
    /// state selection over all the others (1000 ports: 5.0 s instead of 1.9 s).
    case bridgesUp
    case addresses, routes, entries
    /// Last, because it is what cannot be undone.
    case deleteNamespaces
  }

  /// What turns `observed` into `wanted`.
  package init(from observed: Blueprint, to wanted: Blueprint) {
    self.init(wanted.difference(from: observed), from: observed, to: wanted)
  }

  /// What turns `observed` into `wanted`, of which the difference is known.
  package init(_ difference: [Change], from observed: Blueprint, to wanted: Blueprint) {
    guard !difference.isEmpty else { return }
    let isNew = observed.namespaces.isEmpty
    let removal = isNew ? Removal(remaining: observed) : observed.removal(unlike: wanted)
    let changes = isNew ? difference : wanted.difference(from: removal.remaining)
    var ends = CableEnds(in: changes)
    for change in changes {
      switch change {
      case .create(let resource): create(resource, &ends)
      case .delete(let resource): delete(resource)
      case .update(let wanted, let observed, _): update(wanted, from: observed)
      }
    }
    for link in removal.links { add(.deleteLink(link), .deleteLinks) }
    for namespace in removal.namespaces { add(.deleteNamespace(namespace), .deleteNamespaces) }
    steps = Array(ranked.joined())
    ranked = []
  }

  private mutating func add(_ step: Step, _ rank: Rank) { ranked[rank.rawValue].append(step) }

  /// The ends of cables that are to be created.
  private struct CableEnds {
    private let changes: [Change]
    private var positions: [LinkKey: Int] = [:]

    init(in changes: [Change]) {
      self.changes = changes
      for (position, change) in changes.enumerated() {
        guard case .create(.link(let link)) = change, case .veth = link.kind else { continue }
        positions[LinkKey(link)] = position
      }
    }

    /// Finds an end, which is not there any more the next time.
    mutating func take(_ key: LinkKey) -> Link? {
      guard let position = positions.removeValue(forKey: key),
        case .create(.link(let link)) = changes[position]
      else { return nil }
      return link
    }
  }

  private mutating func create(_ resource: Resource, _ ends: inout CableEnds) {
    switch resource {
    case .namespace(let namespace): add(.addNamespace(namespace), .namespaces)
    case .sysctl(let sysctl):
      // What is written to `all` the kernel writes to `default`, too.
      var all = sysctl
      all.key = "net.ipv6.conf.all.disable_ipv6"
      if sysctl.key == "net.ipv6.conf.default.disable_ipv6",
        ranked[Rank.sysctls.rawValue].last == .writeSysctl(all)
      {
        break
      }
      add(.writeSysctl(sysctl), .sysctls)
    case .link(let link): create(link, &ends)
    case .vlan(let vlan): add(.addVLAN(vlan), .vlans)
    case .address(let address): add(.addAddress(address), .addresses)
    case .route(let route): add(.addRoute(route), .routes)
    case .entry(let entry): add(.addEntry(entry), .entries)
    }
  }

  private mutating func create(_ link: Link, _ ends: inout CableEnds) {
    var rest = LinkChange(of: link)
    rest.alias = link.alias
    switch link.kind {
    case .loopback:
      // It comes with the namespace.
      rest.isUp = link.isUp
      add(.changeLink(rest), .cableEnds)
    case .bridge:
      var created = link
      created.isUp = false
      add(.addLink(created), .bridges)
      if !rest.isEmpty { add(.changeLink(rest), .changes) }
      if link.isUp {
        var up = LinkChange(of: link)
        up.isUp = true
        add(.changeLink(up), .bridgesUp)
      }
    case .vlan:
      add(.addLink(link), .subinterfaces)
      if !rest.isEmpty { add(.changeLink(rest), .subinterfaceMarks) }
    case .veth(let peerNamespace, let peer):
      guard ends.take(LinkKey(link)) != nil else {
        // The other end was created with this one; the kernel accepts neither up nor master for it in that request.
        rest.master = link.master
        rest.isPromiscuous = link.isPromiscuous ? true : nil
        rest.isUp = link.isUp ? true : nil
        if !rest.isEmpty { add(.changeLink(rest), .cableEnds) }
        break
      }
      guard let inner = ends.take(LinkKey(namespace: peerNamespace, name: peer)) else { break }
      add(.addVethPair(outer: link, inner: inner), .cables)
      if !rest.isEmpty { add(.changeLink(rest), .changes) }
    case .other: break
    }
    for name in link.altnames { add(.addAltname(name, link), .altnames) }
  }

  private mutating func delete(_ resource: Resource) {
    switch resource {
    case .namespace, .link: break  // they have been removed, with all that goes with them
    case .sysctl: break  // a setting has no absence; it goes with its namespace
    case .vlan(let vlan): add(.deleteVLAN(vlan), .deleteVLANs)
    case .address(let address): add(.deleteAddress(address), .deleteAddresses)
    case .route(let route): add(.deleteRoute(route), .deleteRoutes)
    case .entry(let entry): add(.deleteEntry(entry), .deleteEntries)
    }
  }

  private mutating func update(_ wanted: Resource, from observed: Resource) {
    switch (wanted, observed) {
    case (.sysctl(let sysctl), _): add(.writeSysctl(sysctl), .sysctls)
    case (.vlan(let vlan), _): add(.addVLAN(vlan), .vlans)
    case (.route(let route), .route(let old)):
      add(.deleteRoute(old), .deleteRoutes)
      add(.addRoute(route), .routes)
    case (.link(let link), .link(let old)): update(link, from: old)
    default: break  // namespaces, addresses and entries are what they are named
    }
  }

  private mutating func update(_ link: Link, from observed: Link) {
    var change = LinkChange(of: link)
    if let mac = link.mac, mac != observed.mac { change.mac = mac }
    if let mtu = link.mtu, mtu != observed.mtu { change.mtu = mtu }
    if link.master != observed.master { change.master = link.master ?? "" }
    if link.isUp != observed.isUp { change.isUp = link.isUp }
    if link.isPromiscuous != observed.isPromiscuous { change.isPromiscuous = link.isPromiscuous }
    if let alias = link.alias, alias != observed.alias { change.alias = alias }
    if case .bridge(let wanted) = link.kind, case .bridge(let options) = observed.kind {
      change.bridge = wanted.missing(in: options)
      if change.bridge.stp == false, change.bridge.words.count > 1 {
        // While it is on, the kernel refuses other delays.
        var first = LinkChange(of: link)
        first.bridge.stp = false
        change.bridge.stp = nil
        add(.changeLink(first), .changes)
      }
    }
    rename(link, from: observed, &change)
    let options = link.options.differing(from: observed.options)
    change.options = options.changed(by: .link)
    if !change.isEmpty { add(.changeLink(change), .changes) }
    for (tool, step, rank) in [
      (LinkOption.Tool.port, Step.changePort, Rank.ports), (.offload, Step.changeOffloads, .settings),
    ] {
      let options = options.changed(by: tool)
      guard !options.isEmpty else { continue }
      add(
        step(PortChange(namespace: link.namespace, name: link.name, options: options, origin: link.origin)),
        rank)
    }
    for option in LinkOption.allCases where option.tool == .sysctl {
      guard let value = options[option] else { continue }
      let key = option.sysctlKey(of: link.name)
      add(
        .writeSysctl(Sysctl(namespace: link.namespace, key: key, value: "\(value)", origin: link.origin)),
        .settings)
    }
    for name in link.altnames where !observed.altnames.contains(name) {
      add(.addAltname(name, link), .altnames)
    }
    for name in observed.altnames where !link.altnames.contains(name) {
      add(.deleteAltname(name, link), .deleteAltnames)
    }
  }

  private mutating func rename(_ link: Link, from observed: Link, _ change: inout LinkChange) {
    guard let presentName = observed.presentName else { return }
    var name = LinkChange(of: link)
    name.presentName = presentName
    if observed.isUp {
      // Kernels before 6.2 want it down for that.
      var down = LinkChange(of: link)
      down.name = presentName
      down.isUp = false
      add(.changeLink(down), .renames)
      change.isUp = link.isUp
    }
    add(.changeLink(name), .renames)
  }
}

struct LinkKey: Hashable {
  var namespace: String
  var name: String

  init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }

  init(_ link: Link) { self.init(namespace: link.namespace, name: link.name) }
}
