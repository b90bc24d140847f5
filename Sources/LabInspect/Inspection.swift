import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

/// What the kernel holds of a running lab, all read at one time.
package struct Inspection {
  package let lab: ResolvedLab
  package let phase: LabState.Phase
  /// How it is plugged, by what was observed.
  package let wiring: Wiring
  /// How it differs from what it should be.
  package let changes: [Change]
  /// Devices that netlab did not make.
  package let unmanaged: [LabModel.Link]
  /// Hosts first, then VMs. A namespace that is gone is not there.
  package let nodes: [Node]

  /// One namespace.
  package struct Node {
    package var name: String
    package var links: [Int32: Netlink.Link]
    var addresses: [LinkAddress]
    var routes: [Netlink.Route]
    var neighbours: [Netlink.Neighbour]
    var forwarding: [ForwardingEntry]

    /// The name of a link by its ifindex.
    func name(of link: Int32?) -> String { link.map { links[$0]?.name ?? "ifindex \($0)" } ?? "" }
  }

  /// The link of a device, with counters.
  package func link(_ device: LabDevice) -> Netlink.Link? { byDevice[device] }

  /// The VM's interface that owns a MAC, as observed.
  func owner(of mac: MACAddress?) -> LabDevice? { mac.flatMap { owners[$0] } }

  private let byDevice: [LabDevice: Netlink.Link]
  private let owners: [MACAddress: LabDevice]

  init(
    lab: ResolvedLab, phase: LabState.Phase, observed: Blueprint, unmanaged: [LabModel.Link],
    changes: [Change],
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
  ///
  /// - Throws: for a user who may not enter the lab's namespaces, a `RunnerError` that says what is needed.
  package func inspect(_ name: String) throws -> Inspection {
    do {
      return try read(name)
    } catch let error as NetlinkError where ["EPERM", "EACCES"].contains(error.codeName) {
      throw RunnerError(
        .kernel, "\(error)", remedy: "Looking into namespaces takes root's privileges: sudo netlab …")
    }
  }

  private func read(_ name: String) throws -> Inspection {
    let state = try state(of: name)
    let lab = try state.document.resolved()
    let wanted = lab.blueprint().marked(state.mark)
    let namespaces = try open(state)
    let observation = try observe(namespaces, of: state, wanted: wanted)
    let nodes = try lab.nodes.map(\.name).compactMap { node in
      try namespaces[lab.namespace(of: node)].map { try Inspection.Node(node, in: $0) }
    }
    return Inspection(
      lab: lab, phase: state.phase, observed: observation.blueprint, unmanaged: observation.unmanaged,
      changes: wanted.difference(from: observation.blueprint).changes, nodes: nodes)
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
