import LabKernel
import LabModel
import Netlink
import Values

/// Which of a lab's namespaces can have to do with packets of some of its VMs: the hosts, and the VMs to which networks
/// lead from those, by the lab's own words.
struct TraceScope {
  let namespaces: [String]
  private let lab: ResolvedLab

  init(of lab: ResolvedLab, around ends: [ResolvedNode]) {
    var networks = Set(ends.flatMap(\.allPorts).map(\.network))
    var machines = Set(ends.map(\.name))
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for vm in lab.vms where !machines.contains(vm.name) {
        let own = vm.allPorts.map(\.network)
        guard own.contains(where: networks.contains) else { continue }
        machines.insert(vm.name)
        // By what has ports in several networks, packets may get from one to the other.
        if !networks.isSuperset(of: own) { isGrowing = true }
        networks.formUnion(own)
      }
    }
    self.lab = lab
    namespaces = (lab.hosts.map(\.name) + lab.vms.map(\.name).filter(machines.contains))
      .map(lab.namespace)
  }

  /// Whether all VMs are in it.
  var isWhole: Bool { namespaces.count == lab.nodes.count }

  /// How a device is plugged.
  private struct Plug: Hashable {
    var device: [String]
    var master: String?
    var kind: String
    var vlans: Set<String>
  }

  /// Whether the lab's words are true of all that is in the scope: if something is plugged otherwise, packets may get to
  /// VMs outside of it.
  func holds(in observation: Observation, wanted: Blueprint) -> Bool {
    var found = observation.blueprint
    found.links += observation.unmanaged
    return plugs(of: found) == plugs(of: wanted)
  }

  private func plugs(of blueprint: Blueprint) -> Set<Plug> {
    let scope = Set(namespaces)
    let vlans = Dictionary(grouping: blueprint.vlans, by: { [$0.namespace, $0.device] })
    return Set(
      blueprint.links.filter { scope.contains($0.namespace) }.map { link in
        let device = [link.namespace, link.name]
        let kind: String =
          switch link.kind {
          // The other ends of cables out of the scope are not known.
          case let veth as Veth where !scope.contains(veth.peerNamespace): veth.word
          case let bridge as Bridge: bridge.vlanFiltering == true ? "filtering bridge" : bridge.word
          case let kind: "\(kind)"
          }
        return Plug(
          device: device, master: link.master, kind: kind, vlans: Set((vlans[device] ?? []).map(\.text)))
      })
  }
}
