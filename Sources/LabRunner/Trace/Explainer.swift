internal import LabKit

/// Finds out why packets between two VMs of a running lab do not arrive.
///
/// It predicts the way of an echo and of its answer, sends a real one, and looks for differences between the lab and
/// what its file says. What is predicted to drop comes first; then what a real packet shows; then what only larger
/// packets or other VMs suffer from.
public struct Explainer: Sendable {
  let lab: String
  let tracer: Tracer

  public init(lab: String, tracer: Tracer = Tracer()) {
    self.lab = lab
    self.tracer = tracer
  }

  /// Explains why `to` cannot be reached from `from`; both are names of VMs, or addresses.
  public func explain(from: String, to: String, _ probe: Tracer.Probe = Tracer.Probe()) async -> Explanation {
    do {
      return try await examine(from, to, probe)
    } catch {
      return Explanation(isFault: true, culprit: "no trace: \(error)")
    }
  }

  private func examine(_ from: String, _ to: String, _ probe: Tracer.Probe) async throws -> Explanation {
    let session = try await TraceSession.open(lab, tracer.lifecycle, tracer.runner)
    let vm = try session.sender(from)
    let (address, target) = try session.receiver(to, from: vm)
    var probe = probe
    probe.isRoundTrip = true
    let (trace, prediction) = try tracer.trace(
      packetTo: address, target: target, from: vm, probe, in: session)
    let state = try tracer.lifecycle.state(of: lab)
    let wanted = session.lab.blueprint().marked(state.mark)
    let observed = try tracer.lifecycle.observe(session.namespaces, of: state, wanted: wanted).blueprint
    let drift = Drift(
      from: observed, to: wanted, lab: session.lab, from: vm.name,
      to: session.lab.vm(to)?.name ?? session.lab.port(owning: address)?.vm.name)
    let search = FaultSearch(session: session, prediction: prediction, target: target, trace: trace)
    guard let fault = search.fault(probe, from: vm, to: address) ?? drift.onPath(of: trace, session.world)
    else {
      return Explanation(
        isFault: false,
        culprit: "no fault found: \(from) reaches \(to), and the answer comes back"
          + (trace.proof.map { ", as predicted (\($0.seen) of \($0.hops) hops)" } ?? " by prediction"),
        trace: trace)
    }
    let named = drift.explain(fault)
    return Explanation(
      isFault: true, culprit: culprit(named, search.word, session.world), fault: named.fault,
      repair: named.repair,
      trace: trace)
  }

  /// `request lost at br-int: port qvo585e6e2e-a6 has … — TwoVMs.swift:11 wants …; `bridge vlan …` repairs it`
  private func culprit(_ named: Drift.Named, _ word: String, _ world: KernelSnapshot) -> String {
    let fault = named.fault
    var place = fault.device
    if let device = world.place(fault.namespace, fault.device) {
      let master = world[device]?.master.flatMap { world.nodes[device.namespace]?.devices[$0]?.name }
      place = master ?? world.label(device)
    }
    let isLost = ![.drift, .portOption, .duplicateAddress, .duplicateMAC, .mtuExceeded].contains(fault.reason)
    var line = isLost ? "\(word) lost at \(place.isEmpty ? world.node(fault.namespace) : place): " : ""
    line += fault.explanation
    if let wish = named.wish { line += " — \(wish)" }
    // What drops by a rule is not repaired by looking at it.
    let verb = [.netfilter, .trafficControl].contains(fault.reason) ? "shows it" : "repairs it"
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

  func fault(_ probe: Tracer.Probe, from vm: ResolvedVM, to address: IPAddress) -> Trace.Drop? {
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
    let phase = trace.phases.first { $0.sections.flatMap(\.stages).contains { $0.sighting?.isSeen == false } }
    return phase?.isReturn == false ? "request" : "answer"
  }

  private func unexpected(_ proof: Trace.Proof) -> Trace.Drop? {
    guard let first = proof.unexpected.first else { return nil }
    return Trace.Drop(
      reason: .lostInKernel, namespace: "", device: "",
      explanation: "packets go where none was predicted: \(first)")
  }

  /// Another device in the same broadcast domain that has an address of the sender's or receiver's.
  private func duplicate(of address: IPAddress, from vm: ResolvedVM) -> Trace.Drop? {
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
          session.world.nodes[other.namespace]?.address(wanted)?.device == other.index
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
  private func largePacket(_ probe: Tracer.Probe, _ vm: ResolvedVM, _ address: IPAddress) -> Trace.Drop? {
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
  private func portOption() -> Trace.Drop? {
    for hop in trace.hops {
      guard let place = session.world.place(hop.namespace, hop.device), let port = session.world[place]?.port,
        let (option, command) = port.unusual
      else { continue }
      return Trace.Drop(
        reason: .portOption, namespace: hop.namespace, device: hop.device,
        explanation: "packets arrive, but port \(hop.device) has \(option)",
        remedy: "bridge -n \(hop.namespace) link set dev \(hop.device) \(command)")
    }
    return nil
  }
}

extension Trace {
  /// The places of all phases at which packets can be seen.
  var hops: [Hop] { phases.flatMap(\.sections).flatMap(\.stages).compactMap(\.hop) }
}

extension Device.Port {
  /// An option that is not as a port is made, and what sets it right.
  fileprivate var unusual: (option: String, command: String)? {
    if !learning { return ("learning off, so frames to it are flooded", "learning on") }
    if !unicastFlood { return ("flood off: unknown addresses are not looked for there", "flood on") }
    if !broadcastFlood { return ("bcast_flood off: broadcasts do not leave by it", "bcast_flood on") }
    if !multicastFlood { return ("mcast_flood off: multicasts do not leave by it", "mcast_flood on") }
    if isolated { return ("isolated on", "isolated off") }
    if hairpin { return ("hairpin on: frames may go back where they came from", "hairpin off") }
    return nil
  }
}
