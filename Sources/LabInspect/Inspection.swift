import Glibc
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
    /// Without the lab's name.
    package var name: String
    package var state: NodeState

    /// The name of a link by its ifindex.
    func name(of link: Int32?) -> String { link.map { state[$0]?.name ?? "ifindex \($0)" } ?? "" }
  }

  private let positions: [String: Int]

  /// A node, by its name without the lab's.
  package func node(_ name: String) -> Node? { positions[name].map { nodes[$0] } }

  /// The link of a device, with counters.
  package func link(_ device: LabDevice) -> Netlink.Link? { node(device.node)?.state[device.name] }

  /// The VM's interface that owns each MAC, as observed.
  var owners: [MACAddress: LabDevice] {
    Dictionary(
      wiring.ports.compactMap { port in port.mac.map { ($0, port.interface) } },
      uniquingKeysWith: { first, _ in first })
  }

  init(lab: ResolvedLab, phase: LabState.Phase, wanted: Blueprint, observation: Observation) {
    self.lab = lab
    self.phase = phase
    changes = wanted.difference(from: observation.blueprint).changes
    unmanaged = observation.unmanaged
    nodes = lab.nodes.map(\.name).compactMap { name in
      observation.kernel.nodes[lab.namespace(of: name)].map { Node(name: name, state: $0) }
    }
    positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
    var everything = observation.blueprint
    everything.links += unmanaged
    wiring = Wiring(everything, of: lab)
  }
}

extension Lifecycle {
  /// Reads a running lab from the kernel; nothing is changed.
  ///
  /// - Parameter details: what is read besides what the lab has an opinion of.
  /// - Throws: for a user who may not enter the lab's namespaces, a `RunnerError` that says what is needed.
  package func inspect(
    _ name: String, reading details: KernelState.Aspects = .details
  ) throws -> Inspection {
    do {
      return try read(name, details)
    } catch let error as NetlinkError where [EPERM, EACCES].contains(error.code) {
      throw RunnerError(
        .kernel, "\(error)", remedy: "Looking into namespaces takes root's privileges: sudo netlab …")
    }
  }

  private func read(_ name: String, _ details: KernelState.Aspects) throws -> Inspection {
    let state = try state(of: name)
    let lab = try state.document.resolved()
    let wanted = lab.blueprint().marked(state.mark)
    let namespaces = try open(state, toRead: details)
    let observation = try observe(namespaces, of: state, wanted: wanted, reading: details)
    return Inspection(lab: lab, phase: state.phase, wanted: wanted, observation: observation)
  }
}
