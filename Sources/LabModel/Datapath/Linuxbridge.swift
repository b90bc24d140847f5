import LabKit

/// Neutron's linuxbridge agent: one `brq` bridge per network and host, taps straight in it, no tags on the host.
///
/// It keeps networks apart by having a bridge for each, so it needs no VLAN filtering.
package enum Linuxbridge: DatapathWiring {
  package static let foreignDevices = [DeviceName.integrationBridge, "qbr", "qvb", "qvo"]

  package static func device(_ role: CapturePoint.FabricRole, of port: ResolvedPort) -> String? {
    role == .tap ? DeviceName.tap(port) : nil
  }

  package static func taggedDevice(of port: ResolvedPort) -> String? { nil }

  package static func network(
    inBridge bridge: String, tag: Int?, on host: ResolvedNode, of lab: ResolvedLab
  ) -> Int? {
    lab.networks.firstIndex { DeviceName.brq($0) == bridge }
  }

  package static func check(_ host: ResolvedNode, ports: [ResolvedPort], in resolver: inout Resolver) {
    let networks = resolver.networks
    for (network, ports) in Dictionary(grouping: ports, by: \.network).sorted(by: { $0.key < $1.key })
    where ports.count > Bridge.portLimit {
      resolver.report(
        "host '\(host.name)' has \(ports.count) ports of network '\(networks[network].name)'; a bridge takes at most \(Bridge.portLimit)",
        at: host.location, fix: "spread the VMs over several hosts")
    }
    for network in ports.map(\.network).uniqued() {
      let owner = Owner(what: "network '\(networks[network].name)'", location: networks[network].location)
      resolver.claimDevice(DeviceName.brq(networks[network]), on: host, by: owner)
    }
  }

  package static func addWiring(to realiser: inout Realiser) {
    let lab = realiser.lab
    for host in lab.hosts {
      let smallest = Dictionary(
        realiser.ports[host.name, default: []].map { ($0.network, $0.mtu) }, uniquingKeysWith: min)
      for network in host.tags.keys.sorted() {
        addBridge(of: lab.networks[network], on: host, mtu: smallest[network], to: &realiser)
      }
    }
    for vm in lab.vms {
      for port in vm.ports {
        realiser.addTap(of: port, vm: vm, pluggedInto: DeviceName.brq(lab.networks[port.network]))
        for subport in port.subports {
          realiser.addSubinterfaces(
            of: subport, parent: port, vm: vm, pluggedInto: DeviceName.brq(lab.networks[subport.network]))
        }
      }
    }
  }

  private static func addBridge(
    of network: ResolvedNetwork, on host: ResolvedNode, mtu: Int?, to realiser: inout Realiser
  ) {
    realiser.add(
      Link(
        namespace: realiser.lab.namespace(of: host.name), name: DeviceName.brq(network),
        // The agent leaves ageing alone: without it the bridge would flood everything.
        kind: Bridge(stp: false, forwardDelay: 0, multicastSnooping: false),
        // A bridge's MTU follows that of its smallest port.
        mtu: mtu, origin: network.location), role: "\(host.name)/\(network.name)")
  }
}
