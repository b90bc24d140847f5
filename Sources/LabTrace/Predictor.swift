import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Follows a packet through a snapshot as the kernel would: a pure function of what was observed.
///
/// This file holds what carries a trace; what each kernel element does is in the extensions.
struct Predictor {
  /// Changes on the way: bridges and neighbour tables learn.
  var world: KernelSnapshot
  /// The device that is meant to get the packet.
  var target: Place?
  private(set) var phases: [Trace.Phase] = []
  /// States that lead packets astray although nothing drops them there.
  var suspicions: [Trace.Drop] = []
  var walk = Walk(kind: .packet, packet: "")
  /// Whether what is predicted is the way back.
  var isReturn = false

  init(_ world: KernelSnapshot) { self.world = world }

  /// One phase under construction.
  struct Walk {
    var phase: Trace.Phase
    var depth = 0
    var number = 0
    var steps = 0
    var nesting = 0
    var arrivals: [Arrival] = []
    /// `exit` is the device that the packet left by, or would have.
    var drops: [(place: Place, drop: Trace.Drop, isSide: Bool, exit: Place?)] = []

    /// Whether it is an IP packet, and no frame.
    var isRouted: Bool { phase.key != Self.frameKey }
    static let frameKey = "frame"

    init(kind: Trace.Phase.Kind, packet: String) { phase = Trace.Phase(kind: kind, packet: packet) }
  }

  /// A packet that an IP stack has taken.
  struct Arrival {
    var place: Place
    var packet: Packet
    /// Whether the receiver will answer it.
    var answers: Bool
  }

  // MARK: Whole journeys

  struct Request {
    var namespace: String
    var destination: Destination
    var content = IPPacket.Content.echoRequest
    /// The whole IP packet, in bytes.
    var length = 84
    /// The device that is meant to get it.
    var target: Place?

    enum Destination {
      case address(IPAddress)
      /// A raw frame, sent by this device.
      case mac(MACAddress, device: Place, tag: Int?)
    }
  }

  struct Prediction {
    var phases: [Trace.Phase]
    var outcome: Trace.Outcome
    /// Of the answer; nil if there is none to come.
    var answerOutcome: Trace.Outcome?
    var suspicions: [Trace.Drop]
    /// The devices that got the packet.
    var receivers: [Place]
    /// The sender's address.
    var source: IPAddress?
    /// The device that the packet left by.
    var device: Place?
  }

  /// Predicts the way of a packet, and that of the answer to it.
  static func predict(_ request: Request, in world: KernelSnapshot) -> Prediction {
    var predictor = Predictor(world)
    predictor.target = request.target
    switch request.destination {
    case .mac(let mac, let device, let tag): return predictor.predictFrame(to: mac, from: device, tag: tag)
    case .address(let address): return predictor.predictExchange(request, with: address)
    }
  }

  private mutating func predictFrame(to mac: MACAddress, from device: Place, tag: Int?) -> Prediction {
    begin(.packet, "frame to \(mac)\(tag.map { ", vlan \($0)" } ?? "")", key: Walk.frameKey)
    section(.ingress, device)
    transmit(
      Packet(source: world[device]?.mac ?? MACAddress(value: 0), destination: mac, tag: tag, payload: .raw),
      by: device)
    let done = end()
    let outcome = outcome(of: done, isBroadcast: mac.isMulticast)
    return Prediction(
      phases: phases, outcome: outcome, suspicions: suspicions, receivers: done.arrivals.map(\.place),
      device: device)
  }

  private mutating func predictExchange(_ request: Request, with address: IPAddress) -> Prediction {
    var source: IPAddress?
    var device: Place?
    let done = send(
      request.content, to: address, from: request.namespace, source: nil, length: request.length,
      kind: .packet
    ) { (source, device) = ($0, $1) }
    let isBroadcast = done.arrivals.count > 1
    var prediction = Prediction(
      phases: [], outcome: outcome(of: done, isBroadcast: isBroadcast), suspicions: suspicions,
      receivers: done.arrivals.map(\.place), source: source, device: device)
    prediction.suspicions = suspicions
    if let arrival = done.arrivals.first(where: \.answers), !isBroadcast, let source {
      isReturn = true
      suspicions = []
      target = device
      let content: IPPacket.Content =
        switch request.content {
        case .udp: .answer("answer to udp")
        case .tcp: .answer("answer to tcp")
        default: .echoReply
        }
      // The kernel refuses UDP with the first bytes of the packet in ICMP.
      let length = request.content == .echoRequest ? request.length : 60
      let back = send(
        content, to: source, from: arrival.place.namespace, source: address, length: length, kind: .answer)
      prediction.answerOutcome = outcome(of: back, isBroadcast: false)
      prediction.suspicions += suspicions
    }
    prediction.phases = phases
    return prediction
  }

  /// What became of a packet: `done.arrivals`, or the drop that is to blame.
  private func outcome(of done: Walk, isBroadcast: Bool) -> Trace.Outcome {
    let receivers = done.arrivals.map(\.place)
    // A node takes packets to any address of its own, whichever device they come in by.
    let isReceived = receivers.contains { receiver in
      target.map { done.isRouted ? $0.namespace == receiver.namespace : $0 == receiver } ?? true
    }
    if isReceived || (isBroadcast && !receivers.isEmpty) {
      return .delivered(to: receivers.map(label))
    }
    return .dropped(blame(done))
  }

  /// Of all the ends of a packet's ways, the one that keeps it from its target.
  func blame(_ done: Walk) -> Trace.Drop {
    if let suspicion = suspicions.first { return suspicion }
    if let target {
      if let own = done.drops.last(where: { $0.place == target }) { return own.drop }
      if let cut = done.drops.last(where: { $0.exit.map { world.reach(from: $0).contains(target) } == true })
      {
        return cut.drop
      }
    }
    if let end = done.drops.last(where: { !$0.isSide }) { return end.drop }
    return Trace.Drop(
      reason: .nowhereToGo, namespace: target?.namespace ?? "", device: target.map(name) ?? "",
      explanation: target.map { "nothing leads to \(world.label($0))" } ?? "nobody has the address")
  }

  // MARK: Writing the trace

  mutating func begin(_ kind: Trace.Phase.Kind, _ packet: String, key: String? = nil) {
    walk = Walk(kind: kind, packet: packet)
    walk.phase.key = key ?? kind.rawValue
    walk.phase.isReturn = isReturn
  }

  mutating func end() -> Walk {
    phases.append(walk.phase)
    return walk
  }

  /// Runs phases that have to end before the present one goes on.
  mutating func interrupting<Value>(_ body: (inout Predictor) -> Value) -> Value {
    let suspended = walk
    defer { walk = suspended }
    return body(&self)
  }

  mutating func section(_ kind: Trace.Section.Kind, _ place: Place, port: Place? = nil) {
    let isVM = world.virtualMachines.contains(place.namespace)
    var words = ["\(isVM ? "vm" : "host")=\"\(world.node(place.namespace))\""]
    if let device = world[place] { words.append("dev=\"\(device.name)\"") }
    if let port { words.append("inport=\"\(name(port))\"") }
    walk.phase.sections.append(
      Trace.Section(kind: kind, title: "\(kind)(\(words.joined(separator: ", ")))", depth: walk.depth))
  }

  mutating func stage(_ name: String, _ match: String, _ actions: [String] = [], hop: Trace.Hop? = nil) {
    guard !walk.phase.sections.isEmpty else { return }
    walk.phase.sections[walk.phase.sections.count - 1].stages.append(
      Trace.Stage(number: walk.number, name: name, match: match, actions: actions, hop: hop))
    walk.number += 1
  }

  /// Ends one way of the packet. A side way is one that was never meant to lead anywhere.
  mutating func drop(
    _ reason: DropReason, at place: Place, _ explanation: String, remedy: String? = nil, isSide: Bool = false,
    exit: Place? = nil
  ) {
    let drop = Trace.Drop(
      reason: reason, namespace: place.namespace, device: name(place), explanation: explanation,
      remedy: remedy.map { command($0, in: place.namespace) })
    walk.drops.append((place, drop, isSide, exit))
    guard !isSide || place == target, let section = walk.phase.sections.indices.last,
      let stage = walk.phase.sections[section].stages.indices.last
    else { return }
    walk.phase.sections[section].stages[stage].actions.append("drop;  /* \(explanation) */")
    walk.phase.sections[section].stages[stage].drop = drop
  }

  /// Notes rules that may drop the packet here.
  mutating func hooks(in namespace: String, where matches: (PacketHook.Point) -> Bool) {
    for hook in world.nodes[namespace]?.hooks ?? [] where matches(hook.point) && !hook.suspects.isEmpty {
      stage("hook", hook.name, hook.suspects.map { "/* not interpreted: \($0) */" })
    }
  }

  func name(_ place: Place) -> String { world[place]?.name ?? "" }
  func label(_ place: Place) -> String { "\(world.node(place.namespace)) \(name(place))" }
  func hop(_ place: Place, _ direction: Trace.Hop.Direction, tag: Int?) -> Trace.Hop {
    Trace.Hop(namespace: place.namespace, device: name(place), direction: direction, tag: tag)
  }

  /// A command as it has to be typed outside of the namespace.
  func command(_ command: String, in namespace: String) -> String {
    for tool in ["ip ", "bridge ", "tc "] where command.hasPrefix(tool) {
      return "\(tool)-n \(namespace) \(command.dropFirst(tool.count))"
    }
    return "ip netns exec \(namespace) \(command)"
  }
}
