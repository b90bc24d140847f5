import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// The devices that a packet passes in a running lab, by prediction.
package struct TracedPath: Sendable {
  /// In the order in which the packet passes them, bridges included, each once.
  package var devices: [LabDevice] = []
  /// Where it ends when it does not arrive, and why.
  package var end: (device: LabDevice, explanation: String)?

  package init() {}
}

extension Tracer {
  /// Predicts the way of a packet from a VM to another; sends nothing.
  ///
  /// - Throws: `RunnerError`, as ``trace(lab:from:to:_:)`` does.
  package func path(lab: String, from: String, to: String) async throws -> TracedPath {
    let session = try await TraceSession.open(lab, from: from, to: to, lifecycle, runner)
    let vm = try session.lab.sender(from)
    let (address, target) = try session.receiver(to, from: vm)
    var probe = Probe()
    probe.isLive = false
    let trace = try trace(packetTo: address, target: target, from: vm, probe, in: session).trace
    return TracedPath(trace, session.world)
  }
}

extension TracedPath {
  init(_ trace: Trace, _ world: KernelSnapshot) {
    var sections: [Trace.Section] = []
    if case .dropped(let drop) = trace.outcome {
      end = (LabDevice(node: world.node(drop.namespace), name: drop.device), drop.explanation)
      sections = trace.way(to: drop)
    } else if let packet = trace.phases.first(where: { $0.kind == .packet }) {
      sections = packet.sections
    }
    for hop in sections.flatMap(\.stages).compactMap(\.hop) {
      add(hop.device, hop.namespace, world)
      guard let place = world.place(hop.namespace, hop.device), let master = world[place]?.master,
        let bridge = world.nodes[hop.namespace]?.devices[master]?.name
      else { continue }
      if hop.direction == .enters { add(bridge, hop.namespace, world) }
    }
  }

  private mutating func add(_ device: String, _ namespace: String, _ world: KernelSnapshot) {
    let device = LabDevice(node: world.node(namespace), name: device)
    if !devices.contains(device) { devices.append(device) }
  }
}

extension Trace {
  /// The sections that lead to where a packet ends: of a flood, the branch that it ends in.
  fileprivate func way(to drop: Drop) -> [Section] {
    func ends(_ section: Section) -> Bool { section.stages.contains { $0.drop == drop } }
    // What keeps a name from being resolved keeps the packet from being sent.
    guard let sections = phases.first(where: { $0.sections.contains(where: ends) })?.sections,
      let last = sections.firstIndex(where: ends)
    else { return phases.first?.sections.filter { $0.depth == 0 } ?? [] }
    var way: [Section] = []
    var depth = sections[last].depth
    for section in sections[...last].reversed() where section.depth == depth {
      way.append(section)
      if section.kind == .output { depth -= 1 }
    }
    return way.reversed()
  }
}
