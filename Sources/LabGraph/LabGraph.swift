import LabInspect
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabTrace
import Values

/// A lab as a drawing shows it: hosts with their VMs, each VM's chains of devices, and the switches they end in.
///
/// The drawing is of the lab as it should be; what a running lab has otherwise is marked at the device it concerns.
package struct LabGraph: Sendable {
  package var lab: String
  package var hosts: [Host] = []
  /// What differs from the lab as it should be, one line each; empty for a lab that does not run.
  package var notes: [String] = []
  /// Whether it shows a running lab.
  package var isObserved = false

  package struct Host: Sendable {
    package var name: String
    package var machines: [Machine] = []
    package var switches: [Element] = []
  }

  /// A VM.
  package struct Machine: Sendable {
    package var name: String
    package var ports: [Port]
  }

  /// A VM's interface and what lies between it and its switch.
  package struct Port: Sendable {
    package var interface: Element
    package var chain: [Element]
    /// The switch that the chain ends in.
    package var bridge: LabDevice?
    /// The tag that the switch gives the port's frames.
    package var tag: Int?
  }

  /// A device.
  package struct Element: Sendable {
    package enum Kind: Sendable { case interface, cableEnd, subinterface, bridge }
    package var device: LabDevice
    package var kind: Kind
    /// Addresses, networks: what stands below its name.
    package var details: [String] = []
    /// What it has otherwise than it should: `state down`.
    package var problems: [String] = []
    package var isOnPath = false
  }

  /// A lab as it should be.
  ///
  /// - Parameter path: devices to paint, such as those that a packet passes.
  package init(of lab: ResolvedLab, path: [LabDevice] = []) {
    self.init(lab, problems: [:], path: Set(path))
  }

  /// A running lab, and where a packet goes in it.
  package init(of inspection: Inspection, path: TracedPath = TracedPath()) {
    let lab = inspection.lab
    var problems: [LabDevice: [String]] = [:]
    for change in inspection.changes {
      guard let (device, words) = change.problem else { continue }
      let node = String(change.resource.namespace.dropFirst(lab.name.count + 1))
      problems[LabDevice(node: node, name: device), default: []].append(words)
    }
    if let end = path.end { problems[end.device, default: []].append("the packet ends here") }
    self.init(lab, problems: problems, path: Set(path.devices))
    isObserved = true
    notes =
      (path.end.map { ["the packet ends at \($0.device): \($0.explanation)"] } ?? [])
      + inspection.changes.map(\.summary)
      + inspection.unmanaged.map { "not netlab's: \($0.name) in \($0.namespace)" }
  }

  private init(_ lab: ResolvedLab, problems: [LabDevice: [String]], path: Set<LabDevice>) {
    self.lab = lab.name
    let wiring = Wiring(lab.blueprint(), of: lab)
    func element(_ device: LabDevice, details: [String] = []) -> Element {
      Element(
        device: device, kind: Element.Kind(wiring[device]), details: details,
        problems: problems[device] ?? [],
        isOnPath: path.contains(device))
    }
    let ports = Dictionary(grouping: wiring.ports, by: \.interface.node)
    for host in lab.hosts {
      var drawn = Host(name: host.name)
      for vm in lab.vms where vm.host == host.name {
        drawn.machines.append(
          Machine(
            name: vm.name,
            ports: (ports[vm.name] ?? []).map { port in
              var interface = element(
                port.interface,
                details: port.addresses.map { "\($0)" } + (port.mac.map { ["\($0)"] } ?? []))
              interface.kind = .interface
              return Port(
                interface: interface, chain: port.chain.map { element($0) }, bridge: port.bridge,
                tag: port.tag)
            }))
      }
      let wired = drawn.machines.flatMap { ports[$0.name] ?? [] }
      for port in wired {
        guard let bridge = port.bridge, !drawn.switches.contains(where: { $0.device == bridge }) else {
          continue
        }
        var networks: [String] = []
        for port in wired where port.bridge == bridge {
          guard let network = port.network else { continue }
          let text = port.tag.map { "tag \($0) \(network)" } ?? network
          if !networks.contains(text) { networks.append(text) }
        }
        drawn.switches.append(element(bridge, details: networks))
      }
      // VMs side by side that share a switch, so that lines cross as little as can be.
      let order = Dictionary(uniqueKeysWithValues: drawn.switches.enumerated().map { ($1.device, $0) })
      let places = drawn.machines.map { machine in machine.ports.first?.bridge.flatMap { order[$0] } ?? 0 }
      drawn.machines = drawn.machines.indices.sorted { (places[$0], $0) < (places[$1], $1) }.map {
        drawn.machines[$0]
      }
      hosts.append(drawn)
    }
  }
}

extension LabGraph.Element.Kind {
  fileprivate init(_ link: Link?) {
    switch link?.kind {
    case is Bridge: self = .bridge
    case is VLANSubinterface: self = .subinterface
    default: self = .cableEnd
    }
  }
}

extension LabGraph.Element {
  /// Name, details and problems for people, a line each.
  var lines: [String] { [device.name] + details + problems.map { "✗ \($0)" } }
}

extension Change {
  /// The device that differs, and in what, in few words; `nil` when it is not about a device.
  fileprivate var problem: (device: String, words: String)? {
    guard let device = resource.owner else { return nil }
    let label = resource.label
    switch self {
    case .create: return (device, label.isEmpty ? "missing" : "no \(label)")
    case .delete: return (device, label.isEmpty ? "unexpected" : "also \(label)")
    case .update(_, _, let differences):
      let words = differences.map { "\($0.attribute) \($0.observed)" }.joined(separator: ", ")
      return (device, label.isEmpty ? words : "\(label) differs: \(words)")
    }
  }
}
