import LabKit
import Values

extension ResolvedLab {
  /// What the nodes have as /etc/hosts: each VM with its name, and its name on each of its networks.
  ///
  /// A name stands for the VM's first address of each family, as the resolver asks the lines from above; on a network of its
  /// own, `web.int_net` is the address there.
  package var hostsFile: String {
    var lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for vm in vms {
      var families: Set<IPAddress.Family> = []
      let names = vm.hostname == vm.name ? vm.name : "\(vm.name) \(vm.hostname)"
      for port in vm.allPorts {
        for address in port.addresses {
          let isFirst = families.insert(address.address.family).inserted
          let there = "\(vm.name).\(networks[port.network].name)"
          lines.append("\(address.address) \(isFirst ? "\(names) " : "")\(there)")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
