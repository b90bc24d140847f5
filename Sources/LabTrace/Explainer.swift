import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Finds out why packets between two VMs of a running lab do not arrive.
///
/// It predicts the way of an echo and of its answer, sends a real one, and looks for differences between the lab and
/// what its file says. What is predicted to drop comes first; then what a real packet shows; then what only larger
/// packets or other VMs suffer from.
package struct Explainer: Sendable {
  let lab: String
  let tracer: Tracer

  package init(lab: String, tracer: Tracer = Tracer()) {
    self.lab = lab
    self.tracer = tracer
  }

  /// An explanation that takes longer is given up.
  private static let limit = Duration.seconds(30)

  /// Explains why `to` cannot be reached from `from`; both are names of VMs, or addresses.
  package func explain(from: String, to: String) async throws -> Explanation {
    try await explain { session in
      let vm = try session.lab.sender(from)
      return Passage(
        sender: vm.name, target: try session.receiver(to, from: vm).address,
        receiver: session.lab.vm(to)?.name)
    }
  }

  /// Explains what became of packets that a check was about.
  package func explain(_ passage: Passage) async throws -> Explanation { try await explain { _ in passage } }

  /// Gives an explanation in any case, within a limit; throws only when the task is cancelled.
  private func explain(
    _ passage: @escaping @Sendable (TraceSession) throws -> Passage
  ) async throws -> Explanation {
    let (explanation, isInTime) = await limited(to: Self.limit) {
      do {
        let session = try await TraceSession.openAll(lab, tracer.lifecycle, tracer.runner)
        return try examine(passage(session), in: session)
      } catch {
        return Explanation(isFault: true, culprit: "no trace: \(error)")
      }
    }
    try Task.checkCancellation()
    guard isInTime else {
      return Explanation(isFault: true, culprit: "no trace: it took more than \(Self.limit)")
    }
    return explanation
  }

  private func examine(_ passage: Passage, in session: TraceSession) throws -> Explanation {
    let (vm, address) = (try session.lab.sender(passage.sender), passage.target)
    let target = session.place(of: address, at: passage.receiver)
    var probe = passage.probe
    probe.isRoundTrip = true
    let (trace, prediction) = try tracer.trace(
      packetTo: address, target: target, from: vm, probe, in: session)
    let drift = drift(of: passage, in: session)
    let search = FaultSearch(session: session, prediction: prediction, target: target, trace: trace)
    let fault =
      switch passage.question {
      case .loss: search.fault(probe, from: vm, to: address) ?? drift.onPath(of: trace, session.world)
      case .arrival: drift.onPath(of: trace, session.world) ?? drift.atAnEnd ?? search.portOption()
      case .sighting(let node, let device):
        drift.at(session.lab.namespace(of: node), device) ?? drift.onPath(of: trace, session.world)
          ?? drift.atAnEnd ?? search.portOption()
      }
    guard let fault else {
      return Explanation(
        isFault: false,
        culprit: innocence(of: trace, passage, session.world) + chance(drift.qdiscs(onPathOf: trace)),
        trace: trace)
    }
    let named = drift.explain(fault)
    return Explanation(
      isFault: true, culprit: culprit(named, search.word, trace, session.world), fault: named.fault,
      repair: named.repair, trace: trace)
  }

  private func drift(of passage: Passage, in session: TraceSession) -> Drift {
    // That of before the probe: it is what the packets met that the check was about.
    let observed = session.expectation.observation(of: session.kernel).blueprint
    let receiver = passage.receiver ?? session.lab.port(owning: passage.target)?.vm.name
    var ends = [receiver, passage.sender].compactMap { $0 }
    if case .sighting(let node, _) = passage.question { ends.insert(node, at: 0) }
    return Drift(
      from: observed, to: session.expectation.wanted, lab: session.lab, ends: ends)
  }

  /// What an impairment that the lab asks for may have done to other packets than the one that was traced.
  private func chance(_ qdiscs: [LabModel.Qdisc]) -> String {
    qdiscs.map { "; \($0.device) in \($0.namespace) has \($0.discipline.words), as the lab wants" }.joined()
  }

  /// What there is to say when nothing is wrong with the lab.
  private func innocence(of trace: Trace, _ passage: Passage, _ world: KernelSnapshot) -> String {
    if case .dropped(let drop) = trace.outcome { return "no drift: \(drop.explanation), by prediction" }
    switch passage.question {
    case .loss:
      return "no fault found: \(passage.sender) reaches \(passage.target), and the answer comes back"
        + (trace.proof.map { ", as predicted (\($0.seen) of \($0.hops) hops)" } ?? " by prediction")
    case .arrival:
      var devices: [String] = []
      for hop in trace.hops where devices.last != hop.device { devices.append(hop.device) }
      return "nothing stands in the way: \(passage.sender) reaches \(passage.target) by "
        + devices.joined(separator: ", ")
    case .sighting(let node, let device):
      let place = "\(device) of \(node)"
      let hops = trace.hops.filter { world.node($0.namespace) == node && $0.device == device }
      if hops.isEmpty { return "no fault found: the way of the packets does not lead by \(place)" }
      let tags = Set(hops.map { $0.tag.map { "with VLAN \($0)" } ?? "without a tag" }).sorted()
      return "no fault found: the packets pass \(place) \(tags.joined(separator: " and "))"
    }
  }

  /// `request lost at br-int: port qvo585e6e2e-a6 has … — TwoVMs.swift:11 wants …; `bridge vlan …` repairs it`
  private func culprit(_ named: Drift.Named, _ word: String, _ trace: Trace, _ world: KernelSnapshot)
    -> String
  {
    let fault = named.fault
    var place = fault.device
    if let device = world.place(fault.namespace, fault.device) {
      let master = world[device]?.master.flatMap { world.nodes[device.namespace]?.devices[$0]?.name }
      place = master ?? world.label(device)
    }
    let isLost = ![.drift, .portOption, .duplicateAddress, .duplicateMAC, .mtuExceeded].contains(fault.reason)
    var line = isLost ? "\(word) lost at \(place.isEmpty ? world.node(fault.namespace) : place): " : ""
    line += fault.explanation
    if isLost, let reasons = trace.proof?.kernelReasons, !reasons.isEmpty {
      line += " (the kernel says \(reasons.joined(separator: ", ")))"
    }
    if let wish = named.wish { line += " — \(wish)" }
    // What drops by a rule is not repaired by looking at it.
    let isRule = [.netfilter, .trafficControl].contains(fault.reason)
    let verb = isRule && named.repair == [fault.remedy] ? "shows it" : "repairs it"
    switch named.repair.count {
    case 0: break
    case 1, 2: line += "; `\(named.repair.joined(separator: " && "))` \(verb)"
    default: line += "; `netlab up \(lab)` \(verb)"
    }
    return line
  }
}

/// What a trace and the state it was made from say about faults, in order of weight.
private struct FaultSearch {
  let session: TraceSession
  let prediction: Predictor.Prediction
  let target: Place?
  let trace: Trace

  /// Reasons that may only be the consequence of two devices with one address.
  private static let doubtful: Set<DropReason> = [
    .nowhereToGo, .notForMe, .wrongNeighbour, .wrongForwardingEntry, .addressNotLocal, .lostInKernel,
    .martianSource,
    .noAnswerToARP, .wrongVLANPath, .duplicateMAC, .hairpin,
  ]

  func fault(_ probe: Tracer.Probe, from vm: ResolvedNode, to address: IPAddress) -> Trace.Drop? {
    var found: Trace.Drop?
    if case .dropped(let drop) = trace.outcome { found = drop }
    if found != nil, let first = trace.proof?.unexpected.first {
      found?.explanation += " (by prediction; yet a real packet went on: \(first))"
    }
    found = found ?? trace.proof?.divergence
    if let found, !Self.doubtful.contains(found.reason) { return found }
    return duplicate(of: address, from: vm) ?? found ?? trace.proof.flatMap(unexpected) ?? largePacket(
      probe, vm, address)
      ?? portOption()
  }

  /// What it is that a fault keeps from arriving; name resolution belongs to what needs it.
  var word: String {
    if case .dropped = prediction.outcome { return "request" }
    let missing = trace.phases.firstIndex { $0.hops.contains { $0.sighting?.isSeen == false } }
    guard let missing, trace.phases[missing].isReturn else { return missing == nil ? "answer" : "request" }
    // Where no answer sets out, it may be the request that was not taken.
    let isFirstBack = trace.phases[..<missing].allSatisfy { !$0.isReturn }
    return isFirstBack && trace.phases[missing].hops.first?.sighting?.isSeen == false ? "request" : "answer"
  }

  private func unexpected(_ proof: Trace.Proof) -> Trace.Drop? {
    guard let first = proof.unexpected.first else { return nil }
    return Trace.Drop(
      reason: .lostInKernel, namespace: "", device: "",
      explanation: "packets go where none was predicted: \(first)")
  }

  /// Another device in the same broadcast domain that has an address of the sender's or receiver's.
  private func duplicate(of address: IPAddress, from vm: ResolvedNode) -> Trace.Drop? {
    // Without a route, its first port.
    let port = vm.ports.first.flatMap { session.world.place(session.lab.namespace(of: vm.name), $0.device) }
    guard let sender = prediction.device ?? port, let source = session.world[sender] else { return nil }
    let heard = Predictor.predict(
      Predictor.Request(
        namespace: sender.namespace, destination: .mac(Packet.broadcast, device: sender, tag: nil)),
      in: session.world
    ).receivers.filter { $0 != sender }
    let owners: [(IPAddress?, Place?)] = [(address, target), (prediction.source, sender)]
    for (wanted, owner) in owners {
      guard let wanted, let owner else { continue }
      for other in heard + [sender] where other != owner {
        guard let device = session.world[other],
          session.world.nodes[other.namespace]?.address(wanted)?.link == other.index
        else { continue }
        return Trace.Drop(
          reason: .duplicateAddress, namespace: other.namespace, device: device.name,
          explanation:
            "\(session.world.label(other)) has \(wanted), which is \(session.world.label(owner))'s",
          remedy: "ip -n \(other.namespace) addr del \(wanted) dev \(device.name)")
      }
    }
    for other in heard {
      guard let device = session.world[other] else { continue }
      for owner in [sender, target].compactMap({ $0 })
      where owner != other && session.world[owner]?.mac == device.mac {
        let impostor = declaredMAC(other) == device.mac ? owner : other
        let rightful = impostor == other ? owner : other
        return Trace.Drop(
          reason: .duplicateMAC, namespace: impostor.namespace,
          device: session.world[impostor]?.name ?? source.name,
          explanation:
            "\(session.world.label(impostor)) has \(device.mac), which is \(session.world.label(rightful))'s")
      }
    }
    return nil
  }

  private func declaredMAC(_ place: Place) -> MACAddress? {
    let vm = session.lab.vm(session.world.node(place.namespace))
    return vm?.allPorts.first { $0.device == session.world[place]?.name }?.mac
  }

  /// A packet as large as the lab says that the network takes.
  private func largePacket(_ probe: Tracer.Probe, _ vm: ResolvedNode, _ address: IPAddress) -> Trace.Drop? {
    guard probe.size < 1000, let device = prediction.device,
      let port = vm.allPorts.first(where: { $0.device == session.world[device]?.name })
    else { return nil }
    let request = Predictor.Request(
      namespace: device.namespace, destination: .address(address), content: probe.content, length: port.mtu,
      target: target)
    let large = Predictor.predict(request, in: session.world)
    for case .dropped(let drop)? in [large.outcome, large.answerOutcome] where drop.reason == .mtuExceeded {
      return drop
    }
    return nil
  }

  /// A bridge's port on the way that is set to do less than a port does.
  func portOption() -> Trace.Drop? {
    for hop in trace.hops {
      guard let place = session.world.place(hop.namespace, hop.device), let port = session.world[place]?.port,
        let (flag, consequence) = port.unusual
      else { continue }
      return Trace.Drop(
        reason: .portOption, namespace: hop.namespace, device: hop.device,
        explanation: "packets arrive, but port \(hop.device) has "
          + BridgePortOptions.text(flag, !flag.isUsual) + consequence,
        remedy: "bridge -n \(hop.namespace) link set dev \(hop.device) "
          + BridgePortOptions.text(flag, flag.isUsual))
    }
    return nil
  }
}

extension Trace {
  /// The places of all phases at which packets can be seen.
  var hops: [Hop] { phases.flatMap(\.hops).compactMap(\.hop) }
}

extension Trace.Phase {
  /// The stages at which its packet can be seen.
  var hops: [Trace.Stage] { sections.flatMap(\.stages).filter { $0.hop != nil } }
}

extension Device.Port {
  /// What it means that a flag is not as at a new port.
  private static let consequences: [BridgePortOptions.Flag: String] = [
    .learning: ", so frames to it are flooded", .flood: ": unknown addresses are not looked for there",
    .broadcastFlood: ": broadcasts do not leave by it", .multicastFlood: ": multicasts do not leave by it",
    .isolated: "", .hairpin: ": frames may go back where they came from",
  ]

  /// A flag that changes the way of packets and is not as a port is made.
  fileprivate var unusual: (flag: BridgePortOptions.Flag, consequence: String)? {
    options.unusual.lazy.compactMap { flag in Self.consequences[flag].map { (flag, $0) } }.first
  }
}
