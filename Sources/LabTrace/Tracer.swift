import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Predicts the way of a packet through a running lab, and proves it with a real one.
package struct Tracer: Sendable {
  let lifecycle: Lifecycle
  let runner: ProcessRunner

  package init(lifecycle: Lifecycle = Lifecycle(), runner: ProcessRunner = ProcessRunner()) {
    self.lifecycle = lifecycle
    self.runner = runner
  }

  /// What is sent.
  package struct Probe: Hashable, Codable, Sendable {
    package enum Transport: String, CaseIterable, Codable, Sendable { case icmp, udp, tcp }
    package var transport = Transport.icmp
    /// The destination port, of UDP and TCP.
    package var port = 33434
    /// The whole IP packet, in bytes, but for TCP; it may not be fragmented.
    package var size = 84
    /// The tag of a raw frame.
    package var vlan: Int?
    /// Whether the way of the answer is shown and proved, too.
    package var isRoundTrip = false
    /// Whether a real packet is sent.
    package var isLive = true

    package init() {}

    /// The length of the IP packet: a SYN's is what the kernel makes it.
    func length(to address: IPAddress) -> Int {
      transport == .tcp ? (address.family == .ipv4 ? 60 : 80) : size
    }

    var content: IPPacket.Content {
      switch transport {
      case .icmp: .echoRequest
      case .udp: .udp(port: port)
      case .tcp: .tcp(port: port)
      }
    }
  }

  /// Traces a packet from a VM to another, to an address, or a raw frame to a MAC address.
  ///
  /// - Throws: `RunnerError`: the lab is not running, a name is unknown, or the kernel may not be looked into.
  package func trace(lab: String, from: String, to: String, _ probe: Probe = Probe()) async throws -> Trace {
    let session = try await TraceSession.open(lab, from: from, to: to, lifecycle, runner)
    let vm = try session.lab.sender(from)
    if let mac = MACAddress(to) { return try trace(frameTo: mac, from: vm, probe, in: session) }
    guard probe.vlan == nil else {
      throw RunnerError(
        .usage, "--vlan is for raw frames",
        remedy: "Give a MAC address as destination, or let the VM's own routes choose.")
    }
    let (address, target) = try session.receiver(to, from: vm)
    return try trace(packetTo: address, target: target, from: vm, probe, in: session).trace
  }

  func trace(
    packetTo address: IPAddress, target: Place?, from vm: ResolvedNode, _ probe: Probe,
    in session: TraceSession
  ) throws -> (trace: Trace, prediction: Predictor.Prediction) {
    let namespace = session.lab.namespace(of: vm.name)
    let prediction = Predictor.predict(
      Predictor.Request(
        namespace: namespace, destination: .address(address), content: probe.content,
        length: probe.length(to: address),
        target: target),
      in: session.world)
    var trace = Trace(lab: session.lab.name, phases: prediction.phases, outcome: prediction.outcome)
    if probe.isRoundTrip, case .delivered = trace.outcome, let back = prediction.answerOutcome {
      trace.outcome = back
    }
    if probe.isLive, let open = session.namespaces[namespace] {
      let source = prediction.source ?? IPAddress(family: address.family, value: 0)
      let taps = try Taps(session.namespaces, between: source, and: address)
      let sender = try ProbeSender(probe.content, from: source, to: address, length: probe.size, in: open)
      let prover = Prover(taps: taps, world: session.world)
      trace.proof = prover.prove(&trace.phases, with: sender, wayBack: probe.isRoundTrip)
    }
    if !probe.isRoundTrip { trace.phases.removeAll(where: \.isReturn) }
    return (trace, prediction)
  }

  private func trace(
    frameTo mac: MACAddress, from vm: ResolvedNode, _ probe: Probe, in session: TraceSession
  ) throws -> Trace {
    guard let port = vm.ports.first else {
      throw RunnerError(.usage, "VM '\(vm.name)' has no port to send a frame by")
    }
    let device = try session.device(port.device, of: vm)
    let source = session.world[device]?.mac ?? port.mac
    let target = session.world.nodes.flatMap { name, node in
      node.devices.values.filter { $0.mac == mac && $0.master == nil }.map {
        Place(namespace: name, index: $0.index)
      }
    }.first { session.world.virtualMachines.contains($0.namespace) }
    let prediction = Predictor.predict(
      Predictor.Request(
        namespace: device.namespace, destination: .mac(mac, device: device, tag: probe.vlan), target: target),
      in: session.world)
    var trace = Trace(lab: session.lab.name, phases: prediction.phases, outcome: prediction.outcome)
    if probe.isLive, let open = session.namespaces[device.namespace] {
      let taps = try Taps(session.namespaces, between: nil, and: nil)
      let sender = ProbeSender(to: mac, from: source, tag: probe.vlan, device: device.index, in: open)
      trace.proof = Prover(taps: taps, world: session.world).prove(
        &trace.phases, with: sender, wayBack: false)
    }
    return trace
  }
}
