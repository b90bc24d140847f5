/// What has to be deleted of an observation before the rest of it can be changed into a blueprint.
package struct Removal: Sendable {
  /// The links to delete; what goes with another one of them (the other end, a subinterface) is not listed again.
  var links: [Link] = []
  var namespaces: [Namespace] = []
  /// What is still there after that, and after what the repair of other things takes away.
  var remaining: Blueprint

  /// The namespaces that stay.
  fileprivate(set) var kept: Set<String> = []
  /// The links that go.
  fileprivate(set) var doomed: Set<LinkKey> = []
  /// Links that leave their bridge, and with it the VLANs they have there.
  fileprivate(set) var moved: Set<LinkKey> = []
  /// Links that are taken down for a moment, and lose their routes and IPv6 addresses.
  fileprivate(set) var stopped: Set<LinkKey> = []

  init(remaining: Blueprint) { self.remaining = remaining }

  /// Whether a device is still there; without one, whether the namespace is.
  func leaves(_ namespace: String, _ device: String?) -> Bool {
    guard kept.contains(namespace) else { return false }
    return device.map { !doomed.contains(LinkKey(namespace: namespace, name: $0)) } ?? true
  }
}

extension Blueprint {
  /// Finds what must go, with all that the kernel takes away along with it, so that the difference from what remains
  /// puts that back.
  func removal(unlike wanted: Blueprint) -> Removal {
    let wantedLinks = Dictionary(
      wanted.links.map { (LinkKey($0), $0) }, uniquingKeysWith: { first, _ in first })
    var removal = Removal(remaining: self)
    removal.kept = Set(wanted.namespaces.map(\.name))
    removal.doomed = doomedLinks(unlike: wantedLinks, in: removal.kept)
    removal.namespaces = namespaces.filter { !removal.kept.contains($0.name) }
    var deleted = Set<LinkKey>()
    for link in links where removal.doomed.contains(LinkKey(link)) && removal.kept.contains(link.namespace) {
      deleted.insert(LinkKey(link))
      // A subinterface goes with its parent, a cable's second end with the first.
      if let carrier = link.carrier,
        link.kind.endsWithCarrier ? removal.doomed.contains(carrier) : deleted.contains(carrier)
      {
        continue
      }
      removal.links.append(link)
    }
    removal.takeAway(wanted: wantedLinks)
    return removal
  }

  private func doomedLinks(unlike wanted: [LinkKey: Link], in kept: Set<String>) -> Set<LinkKey> {
    var doomed = Set<LinkKey>()
    for link in links where wanted[LinkKey(link)]?.isOfKind(of: link) != true {
      if !(link.kind is Loopback) || !kept.contains(link.namespace) { doomed.insert(LinkKey(link)) }
    }
    while true {
      let dependents = links.filter {
        !doomed.contains(LinkKey($0)) && $0.carrier.map(doomed.contains) == true
      }
      if dependents.isEmpty { return doomed }
      doomed.formUnion(dependents.map(LinkKey.init))
    }
  }
}

extension Removal {
  /// Takes out of what remains all that goes.
  fileprivate mutating func takeAway(wanted: [LinkKey: Link]) {
    drop(Link.self)
    for index in remaining.links.indices {
      let link = remaining.links[index]
      if let master = link.master, !leaves(link.namespace, master) { remaining.links[index].master = nil }
      let key = LinkKey(link)
      if let goal = wanted[key], goal.master != remaining.links[index].master { moved.insert(key) }
      if link.presentName != nil && link.isUp { stopped.insert(key) }
    }
    for kind in Blueprint.kinds where kind != Link.self { drop(kind) }
  }

  private mutating func drop<Kind: Resource>(_: Kind.Type) {
    let removal = self
    remaining[Kind.self].removeAll { !$0.survives(removal) }
  }
}
