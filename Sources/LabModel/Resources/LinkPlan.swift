extension Link {
  // The order is measured as well as necessary: see `bridgesUp`.
  package static let made = Stage(after: Sysctl.written)
  private static let cables = Stage(after: made)
  private static let ends = Stage(after: cables)
  /// A device that is up keeps its name.
  private static let renamed = Stage(after: ends)
  private static let changed = Stage(after: renamed)
  /// What is on another link, when that is up; and what marks it.
  private static let stacked = Stage(after: changed)
  private static let stackedMarks = Stage(after: stacked)
  private static let ports = Stage(after: stackedMarks)
  private static let settings = Stage(after: ports)
  package static let named = Stage(after: settings)
  /// A bridge comes up when all its ports are there: each port that joins a bridge which is up re-runs the port state
  /// selection over all the others (1000 ports: 5.0 s instead of 1.9 s).
  package static let bridgesUp = Stage(after: BridgeVLAN.added)

  package typealias Step = LinkStep

  /// Links that go have been removed, with all that goes with them.
  package static func plan(_ changes: [ChangeOf<Link>], in plan: inout Plan) {
    var steps = LinkSteps(changes)
    for change in changes {
      switch change {
      case .create(let link): steps.create(link)
      case .update(let link, let observed, _): steps.update(link, from: observed)
      case .delete: break
      }
    }
    plan.remove(steps.namesGone, of: named)
    plan.add(steps.made, at: made)
    plan.add(steps.cables, at: cables)
    plan.add(steps.ends, at: ends)
    plan.add(steps.renamed, at: renamed)
    plan.add(steps.changed, at: changed)
    plan.add(steps.stacked, at: stacked)
    plan.add(steps.stackedMarks, at: stackedMarks)
    plan.add(steps.ports, at: ports)
    plan.add(steps.offloads, at: settings)
    plan.add(steps.settings, at: settings)
    plan.add(steps.names, at: named)
    plan.add(steps.bridgesUp, at: bridgesUp)
  }
}

/// The steps of a plan that are about links, by the stage in which they are taken.
private struct LinkSteps {
  var made: [LinkStep] = []
  var cables: [LinkStep] = []
  var ends: [LinkStep] = []
  var renamed: [LinkStep] = []
  var changed: [LinkStep] = []
  var stacked: [LinkStep] = []
  var stackedMarks: [LinkStep] = []
  var ports: [LinkStep] = []
  var offloads: [LinkStep] = []
  var settings: [LinkStep] = []
  var names: [LinkStep] = []
  var namesGone: [LinkStep] = []
  var bridgesUp: [LinkStep] = []

  private let changes: [ChangeOf<Link>]
  /// The ends of cables that are to be created, by their position among the changes.
  private var cableEnds: [LinkKey: Int] = [:]

  init(_ changes: [ChangeOf<Link>]) {
    self.changes = changes
    for (position, change) in changes.enumerated() {
      guard case .create(let link) = change, link.kind.making == .withPeer else { continue }
      cableEnds[LinkKey(link)] = position
    }
  }

  mutating func create(_ link: Link) {
    var rest = LinkChange(of: link)
    rest.alias = link.alias
    switch link.kind.making {
    case .withNamespace:
      rest.isUp = link.isUp
      ends.append(.change(rest))
    case .beforePorts:
      var created = link
      created.isUp = false
      made.append(.add(created))
      if !rest.isEmpty { changed.append(.change(rest)) }
      if link.isUp {
        var up = LinkChange(of: link)
        up.isUp = true
        bridgesUp.append(.change(up))
      }
    case .onCarrier:
      stacked.append(.add(link))
      if !rest.isEmpty { stackedMarks.append(.change(rest)) }
    case .withPeer:
      guard takeEnd(LinkKey(link)) != nil else {
        // The other end was created with this one; the kernel accepts neither up nor master for it in that request.
        rest.master = link.master
        rest.isPromiscuous = link.isPromiscuous ? true : nil
        rest.isUp = link.isUp ? true : nil
        if !rest.isEmpty { ends.append(.change(rest)) }
        break
      }
      guard let inner = link.carrier.flatMap({ takeEnd($0) }) else { break }
      cables.append(.addPair(outer: link, inner: inner))
      if !rest.isEmpty { changed.append(.change(rest)) }
    case .never: break
    }
    for name in link.altnames { names.append(.addAltname(name, link)) }
  }

  /// Finds an end, which is not there any more the next time.
  private mutating func takeEnd(_ key: LinkKey) -> Link? {
    guard let position = cableEnds.removeValue(forKey: key), case .create(let link) = changes[position] else {
      return nil
    }
    return link
  }

  mutating func update(_ link: Link, from observed: Link) {
    var change = LinkChange(of: link)
    if let mac = link.mac, mac != observed.mac { change.mac = mac }
    if let mtu = link.mtu, mtu != observed.mtu { change.mtu = mtu }
    if link.master != observed.master { change.master = link.master ?? "" }
    if link.isUp != observed.isUp { change.isUp = link.isUp }
    if link.isPromiscuous != observed.isPromiscuous { change.isPromiscuous = link.isPromiscuous }
    if let alias = link.alias, alias != observed.alias { change.alias = alias }
    let kinds = link.kind.changes(fromAny: observed.kind)
    for kind in kinds.dropLast() {
      var first = LinkChange(of: link)
      first.kind = kind
      changed.append(.change(first))
    }
    change.kind = kinds.last
    rename(link, from: observed, &change)
    let options = link.options.differing(from: observed.options)
    change.options = options.changed(by: .link)
    if !change.isEmpty { changed.append(.change(change)) }
    update(options, of: link)
    names += link.altnames.filter { !observed.altnames.contains($0) }.map { .addAltname($0, link) }
    namesGone += observed.altnames.filter { !link.altnames.contains($0) }.map { .deleteAltname($0, link) }
  }

  private mutating func update(_ options: LinkOptions, of link: Link) {
    func change(_ tool: LinkOption.Tool) -> OptionChange? {
      let options = options.changed(by: tool)
      return options.isEmpty
        ? nil
        : OptionChange(namespace: link.namespace, name: link.name, options: options, origin: link.origin)
    }
    if let change = change(.port) { ports.append(.changePort(change)) }
    if let change = change(.offload) { offloads.append(.changeOffloads(change)) }
    for option in LinkOption.allCases where option.tool == .sysctl {
      guard let value = options[option] else { continue }
      let key = option.sysctlKey(of: link.name)
      settings.append(
        .changeSetting(
          Sysctl(namespace: link.namespace, key: key, value: "\(value)", origin: link.origin)))
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
      renamed.append(.change(down))
      change.isUp = link.isUp
    }
    renamed.append(.change(name))
  }
}
