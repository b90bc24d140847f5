import LabKit
import Values

extension Realiser {
  /// Neutron's linuxbridge agent: one `brq` bridge per network and host, taps straight in it, no tags on the host.
  ///
  /// It keeps networks apart by having a bridge for each, so it needs no VLAN filtering.
  mutating func addLinuxbridgeWiring() {
    for host in lab.hosts {
      let smallest = Dictionary(
        ports[host.name, default: []].map { ($0.network, $0.mtu) }, uniquingKeysWith: min)
      for network in host.tags.keys.sorted() { addBridge(of: network, on: host, mtu: smallest[network]) }
    }
    for vm in lab.vms {
      for port in vm.ports {
        addTap(of: port, vm: vm, pluggedInto: DeviceName.brq(lab.networks[port.network]))
        for subport in port.subports {
          addSubinterfaces(
            of: subport, parent: port, vm: vm, pluggedInto: DeviceName.brq(lab.networks[subport.network]))
        }
      }
    }
  }

  private mutating func addBridge(of network: Int, on host: ResolvedHost, mtu: Int?) {
    let network = lab.networks[network]
    add(
      Link(
        namespace: lab.namespace(of: host.name), name: DeviceName.brq(network),
        // The agent leaves ageing alone: without it the bridge would flood everything.
        kind: .bridge(BridgeOptions(stp: false, forwardDelay: 0, multicastSnooping: false)),
        // A bridge's MTU follows that of its smallest port.
        mtu: mtu, origin: network.location), role: "\(host.name)/\(network.name)")
  }
}
