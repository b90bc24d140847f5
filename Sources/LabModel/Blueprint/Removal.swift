import LabKit
import Values

/// What has to be deleted of an observation before the rest of it can be changed into a blueprint.
struct Removal {
  /// The links to delete; what goes with another one of them (the other end, a subinterface) is not listed again.
  var links: [Link] = []
  var namespaces: [Namespace] = []
  /// What is still there after that, and after what the repair of other things takes away.
  var remaining: Blueprint
}

extension Blueprint {
  /// Finds what must go, with all that the kernel takes away along with it, so that the difference from what remains
  /// puts that back.
  func removal(unlike wanted: Blueprint) -> Removal {
    let wantedLinks = Dictionary(
      wanted.links.map { (LinkKey($0), $0) }, uniquingKeysWith: { first, _ in first })
    let wantedNamespaces = Set(wanted.namespaces.map(\.name))
    var doomed = Set<LinkKey>()
    for link in links where wantedLinks[LinkKey(link)]?.isOfKind(of: link) != true {
      if link.kind != .loopback || !wantedNamespaces.contains(link.namespace) { doomed.insert(LinkKey(link)) }
    }
    while true {
      let dependents = links.filter {
        !doomed.contains(LinkKey($0)) && $0.carrier.map(doomed.contains) == true
      }
      if dependents.isEmpty { break }
      doomed.formUnion(dependents.map(LinkKey.init))
    }
    var removal = Removal(remaining: self)
    removal.namespaces = namespaces.filter { !wantedNamespaces.contains($0.name) }
    var deleted = Set<LinkKey>()
    for link in links where doomed.contains(LinkKey(link)) && wantedNamespaces.contains(link.namespace) {
      deleted.insert(LinkKey(link))
      let isSubinterface = if case .vlan = link.kind { true } else { false }
      // A subinterface goes with its parent, a cable's second end with the first.
      if let carrier = link.carrier, isSubinterface ? doomed.contains(carrier) : deleted.contains(carrier) {
        continue
      }
      removal.links.append(link)
    }
    removal.remaining.drop(doomed, keeping: wantedNamespaces, wanted: wantedLinks)
    return removal
  }

  private mutating func drop(_ doomed: Set<LinkKey>, keeping kept: Set<String>, wanted: [LinkKey: Link]) {
    func stays(_ namespace: String, _ device: String) -> Bool {
      kept.contains(namespace) && !doomed.contains(LinkKey(namespace: namespace, name: device))
    }
    namespaces.removeAll { !kept.contains($0.name) }
    sysctls.removeAll { !kept.contains($0.namespace) }
    links.removeAll { doomed.contains(LinkKey($0)) || !kept.contains($0.namespace) }
    var moved = Set<LinkKey>()
    var stopped = Set<LinkKey>()
    for index in links.indices {
      let link = links[index]
      if let master = link.master, !stays(link.namespace, master) { links[index].master = nil }
      if let goal = wanted[LinkKey(link)], goal.master != links[index].master { moved.insert(LinkKey(link)) }
      if link.presentName != nil && link.isUp { stopped.insert(LinkKey(link)) }
    }
    // A port's VLANs go when it leaves its bridge, a link's routes and IPv6 addresses when it goes down.
    vlans.removeAll {
      !stays($0.namespace, $0.device) || moved.contains(LinkKey(namespace: $0.namespace, name: $0.device))
    }
    addresses.removeAll {
      !stays($0.namespace, $0.device)
        || $0.address.family == .ipv6 && stopped.contains(LinkKey(namespace: $0.namespace, name: $0.device))
    }
    entries.removeAll { entry in
      entry.device.map { !stays(entry.namespace, $0) } ?? !kept.contains(entry.namespace)
    }
    routes.removeAll { route in
      guard let device = route.device else { return !kept.contains(route.namespace) }
      return !stays(route.namespace, device)
        || stopped.contains(LinkKey(namespace: route.namespace, name: device))
    }
  }
}

extension Link {
  /// The link without which this one cannot be: a cable's other end, a subinterface's parent.
  fileprivate var carrier: LinkKey? {
    switch kind {
    case .veth(let namespace, let peer): LinkKey(namespace: namespace, name: peer)
    case .vlan(_, let parent): LinkKey(namespace: namespace, name: parent)
    case .loopback, .bridge, .other: nil
    }
  }
}
