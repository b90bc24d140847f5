import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

extension ResolvedLab {
  /// The devices between two VMs on the network that they share, from one VM's interface to the other's.
  ///
  /// - Throws: a `RunnerError` for a VM that there is not, and for VMs that share no network of one host.
  package func chain(from sender: String, to receiver: String) throws(RunnerError) -> [LabDevice] {
    let (first, second) = try (requireVM(sender), requireVM(receiver))
    let ports = Wiring(blueprint(), of: self).ports
    for port in ports where port.interface.node == first.name {
      let other = ports.first {
        $0.interface.node == second.name && $0.network == port.network && $0.bridge == port.bridge
      }
      guard let other, first.name != second.name else { continue }
      return port.devices + other.devices.reversed().drop { $0 == port.bridge }
    }
    throw RunnerError(
      .usage, "\(first.name) and \(second.name) share no network on one host",
      remedy: "Name two VMs that are plugged into the same network.")
  }

  /// A VM of the lab, or an error that suggests the nearest name.
  func requireVM(_ name: String) throws(RunnerError) -> ResolvedNode {
    if let vm = vm(name) { return vm }
    let names = vms.map(\.name)
    throw RunnerError(
      .usage, "the lab '\(self.name)' has no VM '\(name.terminalSafe)'",
      remedy: didYouMean(name, among: names)
        ?? "It has \(names.prefix(12).joined(separator: ", "))\(names.count > 12 ? " …" : "").")
  }
}
