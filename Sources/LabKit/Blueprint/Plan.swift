/// Steps in an order that the kernel accepts: deletions first, then creations from namespaces to routes.
public struct Plan: Sendable {
  public private(set) var steps: [Step] = []

  public var isEmpty: Bool { steps.isEmpty }

  /// False if a link of a wrong kind has to go first. The plan then only deletes, because nobody knows what goes with
  /// that link before the result is read back; the difference that is left then makes a second, complete plan.
  public private(set) var isComplete = true

  /// The plan as the `ip` and `bridge` commands a person would have typed.
  public var commands: [String] { steps.flatMap(\.commands) }

  private var ranked: [[Step]] = Array(repeating: [], count: Rank.allCases.count)
  private var deletedNamespaces: Set<String> = []
  private var deletedLinks: Set<LinkKey> = []
  /// The links that are deleted by the steps so far.
  private var gone: Set<LinkKey> = []

  /// When a step is due. The order is measured as well as necessary: see `bridgesUp`.
  private enum Rank: Int, CaseIterable {
    case deleteRoutes, deleteAddresses, deleteVLANs, deleteAltnames, deleteLinks, deleteNamespaces
    case namespaces, sysctls, bridges, cables, cableEnds, subinterfaces, changes, altnames, vlans
    /// `br-int` comes up when all its ports are there: each port that joins a bridge which is up re-runs the port
    /// state selection over all the others (1000 ports: 5.0 s instead of 1.9 s).
    case bridgesUp
    case addresses, routes
  }

  public init(_ changes: [Change]) {
    var creations: [LinkKey: Link] = [:]
    for change in changes {
      switch change {
      case .create(.link(let link)): creations[LinkKey(link)] = link
      case .delete(.link(let link)): deletedLinks.insert(LinkKey(link))
      case .delete(.namespace(let namespace)): deletedNamespaces.insert(namespace.name)
      case .update(.link(let link), .link(let observed), _) where !link.canBecome(from: observed):
        isComplete = false
        deletedLinks.insert(LinkKey(observed))
      default: break
      }
    }
    for change in changes {
      switch change {
      case .delete(let resource): delete(resource)
      case .update(.link(let link), .link(let observed), _) where !link.canBecome(from: observed):
        delete(.link(observed))
      case .create, .update: break
      }
    }
    for change in changes where isComplete {
      switch change {
      case .create(let resource): create(resource, creations: &creations)
      case .update(let wanted, let observed, _): update(wanted, from: observed)
      case .delete: break
      }
    }
    steps = Array(ranked.joined())
    ranked = []
  }

  private mutating func add(_ step: Step, _ rank: Rank) { ranked[rank.rawValue].append(step) }

  private mutating func create(_ resource: Resource, creations: inout [LinkKey: Link]) {
    switch resource {
    case .namespace(let namespace): add(.addNamespace(namespace), .namespaces)
    case .sysctl(let sysctl): add(.writeSysctl(sysctl), .sysctls)
    case .link(let link): create(link, creations: &creations)
    case .vlan(let vlan): add(.addVLAN(vlan), .vlans)
    case .address(let address): add(.addAddress(address), .addresses)
    case .route(let route): add(.addRoute(route), .routes)
    }
  }

  private mutating func create(_ link: Link, creations: inout [LinkKey: Link]) {
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
      if !rest.isEmpty { add(.changeLink(rest), .changes) }
    case .veth(let peerNamespace, let peer):
      guard creations.removeValue(forKey: LinkKey(link)) != nil else {
        // The other end was created with this one; the kernel accepts neither up nor master for it in that request.
        rest.master = link.master
        rest.isPromiscuous = link.isPromiscuous ? true : nil
        rest.isUp = link.isUp ? true : nil
        if !rest.isEmpty { add(.changeLink(rest), .cableEnds) }
        break
      }
      guard let inner = creations.removeValue(forKey: LinkKey(namespace: peerNamespace, name: peer)) else {
        break
      }
      add(.addVethPair(outer: link, inner: inner), .cables)
      if !rest.isEmpty { add(.changeLink(rest), .changes) }
    case .other: break
    }
    for name in link.altnames { add(.addAltname(name, link), .altnames) }
  }

  /// A resource that goes with another one is not deleted a second time, which the kernel would refuse.
  private mutating func delete(_ resource: Resource) {
    if case .namespace(let namespace) = resource {
      return add(.deleteNamespace(namespace), .deleteNamespaces)
    }
    if deletedNamespaces.contains(resource.namespace) { return }
    if let device = resource.device,
      deletedLinks.contains(LinkKey(namespace: resource.namespace, name: device))
    {
      return
    }
    switch resource {
    case .namespace, .sysctl: break  // a setting has no absence; it goes with its namespace
    case .link(let link):
      // Loopback goes with its namespace only, and one end of a cable goes with the other.
      if link.kind == .loopback || !gone.insert(LinkKey(link)).inserted { return }
      if case .veth(let namespace, let peer) = link.kind {
        gone.insert(LinkKey(namespace: namespace, name: peer))
      }
      add(.deleteLink(link), .deleteLinks)
    case .vlan(let vlan): add(.deleteVLAN(vlan), .deleteVLANs)
    case .address(let address): add(.deleteAddress(address), .deleteAddresses)
    case .route(let route): add(.deleteRoute(route), .deleteRoutes)
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
    default: break  // namespaces and addresses are what they are named
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
    }
    if !change.isEmpty { add(.changeLink(change), .changes) }
    for name in link.altnames where !observed.altnames.contains(name) {
      add(.addAltname(name, link), .altnames)
    }
    for name in observed.altnames where !link.altnames.contains(name) {
      add(.deleteAltname(name, link), .deleteAltnames)
    }
  }
}

extension Link {
  /// False if only deleting the link and creating another one helps.
  fileprivate func canBecome(from observed: Link) -> Bool {
    kindWithoutOptions == observed.kindWithoutOptions
  }
}

extension Resource {
  /// The device without which the resource cannot be.
  fileprivate var device: String? {
    switch self {
    case .vlan(let vlan): vlan.device
    case .address(let address): address.device
    case .route(let route): route.device
    case .link(let link): if case .vlan(_, let parent) = link.kind { parent } else { nil }
    case .namespace, .sysctl: nil
    }
  }
}

private struct LinkKey: Hashable {
  var namespace: String
  var name: String

  init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }

  init(_ link: Link) { self.init(namespace: link.namespace, name: link.name) }
}
