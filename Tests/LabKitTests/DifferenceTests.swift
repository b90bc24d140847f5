import Testing
import Values

@testable import LabKit
@testable import LabModel

@Suite struct DifferenceTests {
  /// TwoVMs and Everything, hybrid and linuxbridge.
  static let labs: [Blueprint] = Datapath.allCases.flatMap { datapath in
    [try? TwoVMs().resolved(datapath).blueprint(), try? Everything().resolved(datapath).blueprint()]
      .compactMap { $0 }
  }

  /// Which resource each change is about.
  private func resources(_ changes: [Change]) -> [String] {
    changes.map { "\($0.resource.namespace) \($0.resource)" }.sorted()
  }

  @Test(arguments: labs.indices)
  func ofItselfIsEmpty(lab: Int) {
    let blueprint = Self.labs[lab]
    #expect(Self.labs.count == 4)
    #expect(blueprint.count > 10)
    #expect(blueprint.difference(from: blueprint).isEmpty)
    #expect(blueprint.withoutOrigins.difference(from: blueprint).isEmpty)
    #expect(Plan(from: blueprint, to: blueprint).isEmpty)
  }

  @Test(arguments: labs.indices)
  func createsEachOnceAndDeletesEachOnce(lab: Int) {
    let blueprint = Self.labs[lab]
    let creations = blueprint.difference(from: Blueprint()).changes
    let deletions = Blueprint().difference(from: blueprint).changes
    #expect(creations.count == blueprint.count)
    #expect(deletions.count == blueprint.count)
    #expect(Set(resources(creations)).count == blueprint.count)
    #expect(resources(creations) == resources(deletions))
    #expect(creations.allSatisfy { if case .create = $0 { true } else { false } })
    #expect(deletions.allSatisfy { if case .delete = $0 { true } else { false } })
  }

  @Test(arguments: labs.indices)
  func appliedGivesTheBlueprint(lab: Int) throws {
    let blueprint = Self.labs[lab]
    var kernel = Simulator()
    try kernel.apply(Plan(from: kernel.state, to: blueprint))
    #expect(blueprint.difference(from: kernel.state).isEmpty)
    try kernel.apply(Plan(from: kernel.state, to: Blueprint()))
    #expect(kernel.state == Blueprint())
  }

  /// From whatever is left of a lab, two rounds at most lead to the whole.
  @Test(arguments: labs.indices)
  func convergesFromAWreck(lab: Int) throws {
    let blueprint = Self.labs[lab]
    var random = SplitMix(state: 42)
    for _ in 0..<60 {
      var kernel = Simulator()
      try kernel.apply(Plan(from: kernel.state, to: blueprint))
      for _ in 0..<Int.random(in: 1...8, using: &random) { try kernel.damage(&random) }
      var rounds = 0
      while case let changes = blueprint.difference(from: kernel.state).changes, !changes.isEmpty {
        rounds += 1
        try #require(rounds <= 2, "\(changes)")
        try kernel.apply(Plan(from: kernel.state, to: blueprint))
      }
    }
  }

  @Test func changesALabIntoAnother() throws {
    for from in Self.labs {
      for to in Self.labs {
        var kernel = Simulator(from.withoutOrigins)
        for _ in 0..<2 { try kernel.apply(Plan(from: kernel.state, to: to)) }
        #expect(to.difference(from: kernel.state).isEmpty)
      }
    }
  }

  static let mutations: [(attribute: String, mutate: @Sendable (inout Blueprint) -> Void)] = [
    ("address", { $0.links[Self.tap($0)].mac = MACAddress(value: 1) }),
    ("address", { $0.links[Self.tap($0)].mac = nil }),
    ("mtu", { $0.links[Self.tap($0)].mtu = 1499 }),
    ("master", { $0.links[Self.tap($0)].master = nil }),
    ("master", { $0.links[Self.tap($0)].master = "br-int" }),
    ("state", { $0.links[Self.tap($0)].isUp = false }),
    ("promisc", { $0.links[Self.tap($0)].isPromiscuous = true }),
    ("alias", { $0.links[Self.tap($0)].alias = nil }),
    ("alias", { $0.links[Self.tap($0)].alias = "mine" }),
    ("altname", { $0.links[Self.tap($0)].altnames = [] }),
    ("altname", { $0.links[Self.tap($0)].altnames.append("more") }),
    ("kind", { $0.links[Self.tap($0)].kind = Veth(peerNamespace: "elsewhere", peer: "eth0") }),
    ("kind", { $0.links[Self.tap($0)].kind = ForeignLink("dummy") }),
    ("state", { $0.links[0].isUp = false }),
    ("vlan_filtering", { Self.bridge(&$0) { $0.vlanFiltering = false } }),
    ("vlan_default_pvid", { Self.bridge(&$0) { $0.defaultPVID = 1 } }),
    ("stp_state", { Self.bridge(&$0) { $0.stp = true } }),
    ("forward_delay", { Self.bridge(&$0) { $0.forwardDelay = 1500 } }),
    ("mcast_snooping", { Self.bridge(&$0) { $0.multicastSnooping = true } }),
    ("vlan_filtering", { Self.bridge(&$0) { $0.vlanFiltering = nil } }),
    ("flags", { $0.vlans[0].isPVID = false }),
    ("flags", { $0.vlans[0].isUntagged = false }),
    ("value", { $0.sysctls[0].value = "0" }),
    ("path", { $0.routes[0].gateway = IPAddress("10.1.0.99") }),
    ("path", { $0.routes[0].device = "eth7" }),
    ("path", { $0.routes[0].type = .blackhole }),
  ]

  private static func tap(_ blueprint: Blueprint) -> Int {
    blueprint.links.firstIndex { $0.name.hasPrefix("tap") } ?? 0
  }

  private static func bridge(_ blueprint: inout Blueprint, _ change: (inout Bridge) -> Void) {
    for index in blueprint.links.indices where blueprint.links[index].name == "br-int" {
      guard var bridge = blueprint.links[index].kind as? Bridge else { continue }
      change(&bridge)
      blueprint.links[index].kind = bridge
      return
    }
  }

  @Test(arguments: mutations.indices)
  func namesTheAttributeThatDiffers(index: Int) throws {
    let wanted = try Everything().resolved(.hybrid).blueprint()
    var observed = wanted
    Self.mutations[index].mutate(&observed)
    let changes = wanted.difference(from: observed).changes
    try #require(changes.count == 1)
    guard case .update(_, _, let differences) = changes[0] else {
      Issue.record("not an update: \(changes)")
      return
    }
    #expect(differences.map(\.attribute) == [Self.mutations[index].attribute])
    #expect(differences[0].wanted != differences[0].observed)
  }

  @Test func identityIsNotAnAttribute() throws {
    let wanted = try Everything().resolved(.hybrid).blueprint()
    var observed = wanted
    observed.links[5].name = "renamed"
    observed.vlans[0].vid = 77
    observed.addresses[0].address = try #require(IPPrefix("10.1.0.2/25"))
    observed.routes[0].metric = 5
    observed.sysctls[0].key = "net.ipv4.ip_forward"
    observed.namespaces[4].name = "else"
    let changes = wanted.difference(from: observed).changes
    // A setting that nobody wants is no difference.
    #expect(changes.count == 11)
    #expect(changes.count { if case .create = $0 { true } else { false } } == 6)
  }

  @Test func anyValueWillDoWhereNoneIsWanted() throws {
    var wanted = try TwoVMs().resolved(.hybrid).blueprint()
    let observed = wanted
    for index in wanted.links.indices {
      wanted.links[index].mtu = nil
      wanted.links[index].mac = nil
      wanted.links[index].alias = nil
      if wanted.links[index].kind is Bridge { wanted.links[index].kind = Bridge() }
    }
    #expect(wanted.difference(from: observed).isEmpty)
  }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension Simulator {
  /// What a person or a crash does to a lab.
  mutating func damage(_ random: inout SplitMix) throws {
    let fabric = state.links.filter { !($0.kind is Loopback) }
    guard let link = fabric.randomElement(using: &random) else { return }
    var change = LinkChange(of: link)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: try apply(LinkStep.delete(link))
    case 1:
      guard let namespace = state.namespaces.randomElement(using: &random) else { return }
      try apply(Namespace.Step.delete(namespace))
    case 2:
      // Renamed by hand: whatever refers to it follows.
      guard !state.links.contains(where: { $0.name == "renamed" }) else { return }
      rename(link, to: "renamed")
    case 3:
      change.isUp = false
      change.mtu = 1300
      change.alias = "someone's"
      try apply(change)
    case 4:
      change.master = ""
      if link.master != nil { try apply(change) }
    case 5:
      state.addresses.removeAll()
      state.routes.removeAll()
    case 6:
      guard link.kind is Bridge else { return }
      // Replaced by a device of another kind.
      try apply(LinkStep.delete(link))
      state.links.append(Link(namespace: link.namespace, name: link.name, kind: ForeignLink("dummy")))
    case 7:
      let entry = TableEntry(
        namespace: link.namespace, table: .qdisc, words: "dev \(link.name) root", message: [],
        device: link.name)
      if !state.entries.contains(entry) { state.entries.append(entry) }
    default:
      state.vlans = state.vlans.map {
        var vlan = $0
        vlan.vid += 1
        return vlan
      }
    }
  }

  private mutating func apply(_ change: LinkChange) throws {
    guard
      let index = state.links.firstIndex(where: { $0.namespace == change.namespace && $0.name == change.name }
      )
    else { return }
    state.links[index].isUp = change.isUp ?? state.links[index].isUp
    state.links[index].mtu = change.mtu ?? state.links[index].mtu
    state.links[index].alias = change.alias ?? state.links[index].alias
    if let master = change.master {
      state.links[index].master = master.isEmpty ? nil : master
      state.vlans.removeAll { $0.namespace == change.namespace && $0.device == change.name }
    }
  }

  private mutating func rename(_ link: Link, to name: String) {
    for index in state.links.indices {
      let other = state.links[index]
      if other.namespace == link.namespace, other.name == link.name { state.links[index].name = name }
      if other.namespace == link.namespace, other.master == link.name { state.links[index].master = name }
      if let veth = other.kind as? Veth, veth.peerNamespace == link.namespace, veth.peer == link.name {
        state.links[index].kind = Veth(peerNamespace: link.namespace, peer: name)
      } else if let subinterface = other.kind as? VLANSubinterface, subinterface.parent == link.name,
        other.namespace == link.namespace
      {
        state.links[index].kind = VLANSubinterface(id: subinterface.id, parent: name)
      }
    }
    func follow<Value>(
      _ values: inout [Value], _ key: (Value) -> (String, String?), _ set: (inout Value) -> Void
    ) {
      for index in values.indices where key(values[index]) == (link.namespace, link.name) {
        set(&values[index])
      }
    }
    follow(&state.addresses, { ($0.namespace, $0.device) }, { $0.device = name })
    follow(&state.routes, { ($0.namespace, $0.device) }, { $0.device = name })
    follow(&state.vlans, { ($0.namespace, $0.device) }, { $0.device = name })
    follow(&state.entries, { ($0.namespace, $0.device) }, { $0.device = name })
  }
}
