import LabModel
import Netlink
import Values

/// What the kernel holds of a lab, in the same terms as a blueprint: a function of what was read.
package struct Observation: Sendable {
  package let kernel: KernelState
  /// What runs in the nodes is added by who knows where that is kept.
  package var blueprint = Blueprint()
  /// Devices in the lab's namespaces that the lab did not make.
  package let unmanaged: [LabModel.Link]

  /// - Parameter settings: those that are of interest.
  package init(of kernel: KernelState, ownership: Ownership, settings: [LabModel.Sysctl]) {
    self.kernel = kernel
    let settings = Dictionary(grouping: settings, by: \.namespace)
    let renamed = RenamedLinks(of: kernel, ownership)
    let nodes = kernel.names.compactMap { name in
      kernel.nodes[name].map {
        ObservedNode(
          $0, of: kernel, renamed: renamed, ownership: ownership, settings: settings[name] ?? [])
      }
    }
    unmanaged = nodes.flatMap(\.unmanaged)
    for kind in kernelResources { find(kind, in: nodes) }
  }

  private mutating func find<Kind: KernelResource>(_: Kind.Type, in nodes: [ObservedNode]) {
    blueprint[Kind.self] = nodes.flatMap { Kind.found(in: $0) }
  }
}
