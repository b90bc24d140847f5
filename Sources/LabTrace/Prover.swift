import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Sends a real packet and compares where it is seen with where it was predicted.
struct Prover {
  let taps: Taps
  let world: KernelSnapshot

  /// In milliseconds: how long a packet that has arrived may still show up elsewhere, how long to wait for one that
  /// has not moved on, and how long to wait in all.
  private static let (lingering, patience, limit) = (8, 250, 1000)
  /// How long the kernel waits before it asks for a neighbour's address again.
  private static let retransmission = 1100

  /// Where a packet was seen, for each phase's key.
  private struct Sightings {
    struct Place: Hashable {
      var key: String
      var namespace: String
      var device: String
      var direction: Trace.Hop.Direction
    }
    private(set) var first: [Place: (time: Int64, tag: Int?)] = [:]
    private(set) var order: [Place] = []

    mutating func add(_ place: Place, _ time: Int64, _ tag: Int?) {
      guard first[place] == nil else { return }
      first[place] = (time, tag)
      order.append(place)
    }
  }

  /// Fires a probe and writes what is seen into the phases.
  ///
  /// - Parameter required: whether the way back has to be as predicted, too.
  func prove(_ phases: inout [Trace.Phase], with probe: ProbeSender, wayBack required: Bool) -> Trace.Proof {
    _ = taps.next(waiting: 0)
    let reasons = DropReasons()
    var fired = probe.fire()
    let necessary = phases.enumerated().flatMap { index, phase -> [Sightings.Place] in
      let hops = phase.sections.flatMap(\.stages).compactMap(\.hop)
      // Of the way back, the first step shows that the packet was accepted.
      let isFirstBack = phase.isReturn && phases[..<index].allSatisfy { !$0.isReturn }
      let wanted = required || !phase.isReturn ? hops : isFirstBack ? Array(hops.prefix(1)) : []
      return wanted.map { Self.place(phase.key, $0) }
    }
    var sightings = collect(Set(necessary), probe.mark, phases, isRefused: fired.failure != nil)
    if sightings.order.isEmpty, !necessary.isEmpty, isAsking {
      // The packet had to wait for an earlier question's last attempt, and went with it.
      fired = probe.fire()
      sightings = collect(Set(necessary), probe.mark, phases, isRefused: fired.failure != nil)
    }
    write(sightings, into: &phases, since: fired.time)
    // Only an answer that is predicted to arrive can be missed.
    let isExpected =
      required && phases.last?.kind == .answer
      && phases.last.map { !$0.sections.flatMap(\.stages).contains { $0.drop != nil } } == true
    let isUnanswered = isExpected && probe.isAnswered?() == false
    var proof = judge(phases, sightings, Set(necessary), fired, isUnanswered: isUnanswered)
    let isDelivered = phases.allSatisfy { !$0.sections.flatMap(\.stages).contains { $0.drop != nil } }
    // Packets also end where they are flooded to and nobody wants them.
    if !isDelivered || !proof.isAsPredicted { proof.kernelReasons = reasons?.read() ?? [] }
    return proof
  }

  private static func place(_ key: String, _ hop: Trace.Hop) -> Sightings.Place {
    Sightings.Place(key: key, namespace: hop.namespace, device: hop.device, direction: hop.direction)
  }

  /// Whether some node is asking for a neighbour's address already: then it does not ask at once for a new packet.
  private var isAsking: Bool {
    world.nodes.values.contains { $0.neighbours.values.contains { $0.state.contains(.incomplete) } }
  }

  private func collect(
    _ necessary: Set<Sightings.Place>, _ mark: ProbeMark, _ phases: [Trace.Phase], isRefused: Bool
  ) -> Sightings {
    var sightings = Sightings()
    var missing = necessary
    let clock = ContinuousClock()
    let start = clock.now
    var isLingering = false
    // A node whose IPv6 address is a moment old does not hear the first question: it joins the address's group later.
    let questions = Set(phases.filter { $0.kind == .resolution || $0.kind == .resolutionAnswer }.map(\.key))
    while clock.now - start < .milliseconds(Self.limit + Self.retransmission) {
      let patience =
        isAsking || missing.contains { questions.contains($0.key) } ? Self.retransmission : Self.patience
      let glimpses = taps.next(waiting: missing.isEmpty || isRefused ? Self.lingering : patience)
      if glimpses.isEmpty { break }
      for glimpse in glimpses {
        var tag = glimpse.tag
        guard let key = mark.phase(of: glimpse.bytes, tag: &tag) else { continue }
        let device =
          world.nodes[glimpse.namespace]?.devices[glimpse.device]?.name ?? "ifindex \(glimpse.device)"
        let place = Sightings.Place(
          key: key, namespace: glimpse.namespace, device: device,
          direction: glimpse.isOutgoing ? .leaves : .enters)
        sightings.add(place, glimpse.time, tag)
        missing.remove(place)
      }
      // Whatever else the lab sends must not keep this from ending.
      if missing.isEmpty, isLingering { break }
      isLingering = missing.isEmpty
    }
    return sightings
  }

  private func write(_ sightings: Sightings, into phases: inout [Trace.Phase], since start: Int64) {
    for phase in phases.indices {
      for section in phases[phase].sections.indices {
        for stage in phases[phase].sections[section].stages.indices {
          guard let hop = phases[phase].sections[section].stages[stage].hop else { continue }
          let seen = sightings.first[Self.place(phases[phase].key, hop)]
          phases[phase].sections[section].stages[stage].sighting = Trace.Sighting(
            isSeen: seen != nil, nanoseconds: seen.map { max($0.time - start, 0) }, tag: seen?.tag)
        }
      }
    }
  }

  private func judge(
    _ phases: [Trace.Phase], _ sightings: Sightings, _ necessary: Set<Sightings.Place>,
    _ fired: (time: Int64, failure: String?), isUnanswered: Bool
  ) -> Trace.Proof {
    let known = Set(phases.map(\.key))
    let predicted = Set(
      phases.flatMap { phase in
        phase.sections.flatMap(\.stages).compactMap(\.hop).map { Self.place(phase.key, $0) }
      })
    let unexpected = sightings.order.filter { known.contains($0.key) && !predicted.contains($0) }
    let divergence =
      firstDivergence(phases, necessary, fired.failure) ?? (isUnanswered ? lossBeforeSocket(phases) : nil)
    let lastTime = necessary.compactMap { sightings.first[$0]?.time }.max()
    return Trace.Proof(
      isAsPredicted: divergence == nil && unexpected.isEmpty, divergence: divergence,
      unexpected: unexpected.map { place in
        let tag = sightings.first[place]?.tag.map { ", vlan \($0)" } ?? ""
        return
          "\(place.key) seen at \(place.device) in \(world.node(place.namespace)) (\(place.direction.rawValue)\(tag))"
      },
      missing: necessary.filter { sightings.first[$0] == nil }.map { "\($0.key) at \($0.device)" }.sorted(),
      refusal: fired.failure, nanoseconds: lastTime.map { max($0 - fired.time, 0) }, hops: necessary.count,
      seen: necessary.count { sightings.first[$0] != nil })
  }

  /// The first stage at which the packet was not seen, or not with the right tag.
  private func firstDivergence(
    _ phases: [Trace.Phase], _ necessary: Set<Sightings.Place>, _ failure: String?
  ) -> Trace.Drop? {
    var passed: [Trace.Hop] = []
    for phase in phases {
      // The last hop at each depth: what a branch begins at.
      var before: [Int: Trace.Hop] = [:]
      // What a node sends is the consequence of what came in there.
      let first = phase.sections.lazy.flatMap(\.stages).compactMap(\.hop).first
      let last = passed.last { $0.namespace == first?.namespace }
      for section in phase.sections {
        var previous = before[section.depth] ?? before[section.depth - 1] ?? last
        if section.kind == .output { previous = before[section.depth - 1] ?? last }
        for stage in section.stages {
          guard let hop = stage.hop, let sighting = stage.sighting else { continue }
          if necessary.contains(Self.place(phase.key, hop)) {
            if !sighting.isSeen { return loss(of: phase, at: hop, after: previous, failure) }
            if sighting.tag != hop.tag { return wrongTag(sighting.tag, hop) }
          }
          previous = hop
          passed.append(hop)
        }
        before[section.depth] = previous
      }
    }
    return nil
  }

  /// The answer came back to the sender's device, but not out of its socket.
  private func lossBeforeSocket(_ phases: [Trace.Phase]) -> Trace.Drop? {
    guard let hop = phases.last?.sections.flatMap(\.stages).compactMap(\.hop).last else { return nil }
    let hook = world.nodes[hop.namespace]?.hooks.first { hook in
      !hook.suspects.isEmpty
        && (hook.point == .trafficControl(device: hop.device, direction: "ingress")
          || hook.point.isNetfilter(["ip", "ip6", "inet"], ["prerouting", "input"]))
    }
    return Trace.Drop(
      reason: hook.map(\.point.reason) ?? .lostInKernel, namespace: hop.namespace, device: hop.device,
      explanation:
        "the answer comes in by \(hop.device) of \(world.node(hop.namespace)), but its socket does not get it"
        + (hook.map { ": \($0.name): \($0.suspects.joined(separator: "; "))" } ?? ""),
      remedy: hook.map { "ip netns exec \(hop.namespace) \($0.command)" })
  }

  private func wrongTag(_ tag: Int?, _ hop: Trace.Hop) -> Trace.Drop {
    func text(_ tag: Int?) -> String { tag.map { "VLAN \($0)" } ?? "no tag" }
    return Trace.Drop(
      reason: .wrongVLANPath, namespace: hop.namespace, device: hop.device,
      explanation: "at \(hop.device) the frame has \(text(tag)), predicted was \(text(hop.tag))")
  }

  /// A packet that was seen at one hop and not at the next: rules between them are to blame, if there are any.
  private func loss(
    of phase: Trace.Phase, at hop: Trace.Hop, after previous: Trace.Hop?, _ failure: String?
  ) -> Trace.Drop {
    let node = world.node(hop.namespace)
    let between =
      previous.map { "between \($0.device) and \(hop.device)" }
      ?? "before \(hop.device)"
    let hooks = world.nodes[hop.namespace]?.hooks.filter { !$0.suspects.isEmpty } ?? []
    func control(_ device: String?, _ direction: String) -> PacketHook? {
      hooks.first { $0.point == .trafficControl(device: device ?? "", direction: direction) }
    }
    let isBridged = world.place(hop.namespace, hop.device).flatMap { world[$0]?.master } != nil
    let filters = hooks.filter {
      guard case .netfilter(let family, let point) = $0.point else { return false }
      if hop.direction == .enters { return point == "ingress" }
      return isBridged
        ? family == "bridge" || ["forward", "prerouting", "postrouting"].contains(point)
        : family != "bridge" && point != "forward"
    }
    let entrance = previous?.namespace == hop.namespace ? control(previous?.device, "ingress") : nil
    let exit = hop.direction == .leaves ? control(hop.device, "egress") : nil
    let answer =
      phase.isReturn ? "the answer" : phase.kind == .packet ? "the packet" : "the request for its address"
    // What came in was not taken, or not answered.
    let isUnanswered =
      phase.isReturn && previous?.direction == .enters && hop.direction == .leaves && !isBridged
    let loss =
      isUnanswered
      ? "what came in by \(previous?.device ?? "") of \(node) is not answered"
      : "\(answer) is lost \(between) in \(node)"
    let refusal = failure.map { "; the sender was told \"\($0)\"" } ?? ""
    if let hook = entrance ?? exit {
      let device = entrance != nil ? previous?.device ?? hop.device : hop.device
      return Trace.Drop(
        reason: .trafficControl, namespace: hop.namespace, device: device,
        explanation:
          "\(hook.name): \(hook.suspects.joined(separator: "; "))\(refusal)",
        remedy: "ip netns exec \(hop.namespace) \(hook.command)")
    }
    if let hook = filters.first {
      return Trace.Drop(
        reason: .netfilter, namespace: hop.namespace, device: previous?.device ?? hop.device,
        explanation:
          "\(loss): \(hook.name): \(hook.suspects.joined(separator: "; "))\(refusal)",
        remedy: "ip netns exec \(hop.namespace) \(hook.command)")
    }
    return Trace.Drop(
      reason: .lostInKernel, namespace: hop.namespace, device: hop.device,
      explanation:
        "\(answer) was not seen at \(hop.device) in \(node)\(previous.map { ", after \($0.device)" } ?? "")\(refusal)"
    )
  }
}
