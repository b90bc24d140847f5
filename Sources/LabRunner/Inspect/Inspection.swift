public import LabKit
internal import Netlink

/// What the kernel holds of a running lab, all read at one time.
public struct Inspection {
  public let lab: ResolvedLab
  public let phase: LabState.Phase
  /// How it is plugged, by what was observed.
  public let wiring: Wiring
  /// How it differs from what it should be.
  public let changes: [Change]
  /// Devices that netlab did not make.
  public let unmanaged: [LabKit.Link]
  /// Hosts first, then VMs. A namespace that is gone is not there.
  let nodes: [Node]

  /// One namespace.
  struct Node {
    var name: String
    var links: [Int32: Netlink.Link]
    var addresses: [LinkAddress]
    var routes: [Netlink.Route]
    var neighbours: [Netlink.Neighbour]
    var forwarding: [ForwardingEntry]

    /// The name of a link by its ifindex.
    func name(of link: Int32?) -> String { link.map { links[$0]?.name ?? "ifindex \($0)" } ?? "" }
  }

  /// The link of a device, with counters.
  func link(_ device: LabDevice) -> Netlink.Link? { byDevice[device] }

  /// The VM's interface that owns a MAC, as observed.
  func owner(of mac: MACAddress?) -> LabDevice? { mac.flatMap { owners[$0] } }

  private let byDevice: [LabDevice: Netlink.Link]
  private let owners: [MACAddress: LabDevice]

  init(
    lab: ResolvedLab, phase: LabState.Phase, observed: Blueprint, unmanaged: [LabKit.Link], changes: [Change],
    nodes: [Node]
  ) {
    var everything = observed
    everything.links += unmanaged
    self.lab = lab
    self.phase = phase
    self.changes = changes
    self.unmanaged = unmanaged
    self.nodes = nodes
    wiring = Wiring(everything, of: lab)
    byDevice = Dictionary(
      nodes.flatMap { node in node.links.values.map { (LabDevice(node: node.name, name: $0.name), $0) } },
      uniquingKeysWith: { first, _ in first })
    owners = Dictionary(
      wiring.ports.compactMap { port in port.mac.map { ($0, port.interface) } },
      uniquingKeysWith: { first, _ in first })
  }
}

extension Lifecycle {
  /// Reads everything about a running lab from the kernel; nothing is changed.
  public func inspect(_ name: String) throws -> Inspection {
    let state = try state(of: name)
    let lab = try state.document.resolved()
    let wanted = lab.blueprint().marked(state.mark)
    let namespaces = try open(state)
    let observation = try observe(namespaces, of: state, wanted: wanted)
    let nodes = try lab.nodes.compactMap { node in
      try namespaces[lab.namespace(of: node)].map { try Inspection.Node(node, in: $0) }
    }
    return Inspection(
      lab: lab, phase: state.phase, observed: observation.blueprint, unmanaged: observation.unmanaged,
      changes: wanted.difference(from: observation.blueprint), nodes: nodes)
  }
}

extension Inspection.Node {
  fileprivate init(_ name: String, in namespace: OpenNamespace) throws {
    let connection = namespace.connection
    let links = try connection.links(withStatistics: true)
    let hasBridges = links.contains { if case .bridge = $0.kind { true } else { false } }
    self.init(
      name: name, links: Dictionary(links.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }),
      addresses: try connection.addresses(), routes: try connection.routes(),
      neighbours: try connection.neighbours(),
      forwarding: hasBridges ? try connection.forwardingEntries() : [])
  }
}
