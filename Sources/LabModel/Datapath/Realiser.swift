import LabKit
import Values

extension ResolvedLab {
  /// The lab as kernel objects, wired the way its datapath wires it.
  package func blueprint() -> Blueprint {
    var realiser = Realiser(lab: self)
    realiser.addNodes()
    switch datapath {
    case .hybrid: realiser.addHybridWiring()
    case .linuxbridge: realiser.addLinuxbridgeWiring()
    }
    realiser.addAddresses()
    return realiser.blueprint
  }
}

/// Collects the kernel objects of a lab. What every datapath needs is here; each datapath's wiring is in a file of its own.
struct Realiser {
  let lab: ResolvedLab
  /// The ports and subports on each host, by the host's name.
  let ports: [String: [ResolvedPort]]
  /// The tags of each host, by the host's name.
  let tags: [String: [Int: Int]]
  var blueprint = Blueprint()
  private var hostNamespaces: Set<String> = []
  private var namespacesWithIPv6: Set<String> = []

  fileprivate init(lab: ResolvedLab) {
    self.lab = lab
    self.ports = Dictionary(grouping: lab.vms, by: \.host).mapValues { $0.flatMap(\.allPorts) }
    self.tags = Dictionary(uniqueKeysWithValues: lab.hosts.map { ($0.name, $0.tags) })
  }

  /// The namespaces of hosts and VMs, with their settings and loopback.
  fileprivate mutating func addNodes() {
    for host in lab.hosts {
      addNode(host.name, origin: host.location)
      hostNamespaces.insert(lab.namespace(of: host.name))
      // The fabric forwards frames and has no addresses. IPv6 would only add noise to captures, and is the largest
      // avoidable cost of bringing a lab up. New devices inherit the ARP settings, which Neutron sets on each qbr.
      setIPv6(false, in: host.name, origin: host.location)
      addSysctl("net.ipv4.conf.default.arp_ignore", "1", in: host.name, origin: host.location)
      addSysctl("net.ipv4.conf.default.arp_announce", "2", in: host.name, origin: host.location)
    }
    for vm in lab.vms {
      addNode(vm.name, origin: vm.location)
      let hasIPv6 = vm.allPorts.contains { port in
        port.addresses.contains { $0.family == .ipv6 }
          || port.routes.contains { $0.destination.family == .ipv6 }
      }
      if hasIPv6 { namespacesWithIPv6.insert(lab.namespace(of: vm.name)) }
      setIPv6(hasIPv6, in: vm.name, origin: vm.location)
    }
  }

  private mutating func addNode(_ node: String, origin: SourceLocation) {
    let namespace = lab.namespace(of: node)
    blueprint.namespaces.append(Namespace(name: namespace, origin: origin))
    var loopback = Link(namespace: namespace, name: "lo", kind: .loopback, origin: origin)
    loopback.options = [.transmitQueueLength: 1000, .group: 0]
    blueprint.links.append(loopback)
  }

  private mutating func setIPv6(_ on: Bool, in node: String, origin: SourceLocation) {
    for scope in ["all", "default"] {
      addSysctl("net.ipv6.conf.\(scope).disable_ipv6", on ? "0" : "1", in: node, origin: origin)
    }
  }

  private mutating func addSysctl(_ key: String, _ value: String, in node: String, origin: SourceLocation) {
    blueprint.sysctls.append(
      Sysctl(namespace: lab.namespace(of: node), key: key, value: value, origin: origin))
  }

  /// The cable between a VM's port and its tap on the host, plugged into a bridge; the bridge's side comes first.
  mutating func addTap(of port: ResolvedPort, vm: ResolvedVM, pluggedInto bridge: String) {
    let host = lab.namespace(of: vm.host)
    let inside = lab.namespace(of: vm.name)
    let tap = DeviceName.tap(port)
    add(
      Link(
        namespace: host, name: tap, kind: .veth(peerNamespace: inside, peer: port.device),
        mac: port.mac.hostSide,
        mtu: port.mtu, master: bridge, origin: port.location), altname: "tap-\(label(port, vm))")
    add(
      Link(
        namespace: inside, name: port.device, kind: .veth(peerNamespace: host, peer: tap), mac: port.mac,
        mtu: port.mtu, origin: port.location), role: "\(vm.name)/\(port.device)")
  }

  /// Both sides of a subport: the subinterface in the VM, and the one of the tap that is plugged into a bridge.
  ///
  /// A tagged frame reaches a subinterface of its VLAN before it reaches the bridge the tap itself is in.
  mutating func addSubinterfaces(
    of subport: ResolvedPort, parent: ResolvedPort, vm: ResolvedVM, pluggedInto bridge: String
  ) {
    guard let vlan = subport.vlan else { return }
    add(
      Link(
        namespace: lab.namespace(of: vm.host), name: DeviceName.tapSubinterface(of: parent, vlan: vlan),
        kind: .vlan(id: vlan, parent: DeviceName.tap(parent)), mtu: subport.mtu, master: bridge,
        origin: subport.location), altname: "tap-\(label(subport, vm))")
    add(
      Link(
        namespace: lab.namespace(of: vm.name), name: subport.device,
        kind: .vlan(id: vlan, parent: parent.device),
        mac: subport.mac, mtu: subport.mtu, origin: subport.location), role: "\(vm.name)/\(subport.device)")
  }

  /// What a person calls a port: the VM's name, and the interface where it is not the first one.
  func label(_ port: ResolvedPort, _ vm: ResolvedVM) -> String {
    port.id == vm.ports.first?.id ? vm.name : "\(vm.name).\(port.device)"
  }

  /// Adds a host-side device; its readable name is an altname and, with the owner's mark, its alias.
  mutating func add(_ link: Link, altname: String) {
    var link = link
    link.altnames = [altname]
    add(link, role: altname)
  }

  mutating func add(_ link: Link, role: String) {
    var link = link
    link.alias = "netlab/\(lab.name)/\(role)"
    let withIPv6 = namespacesWithIPv6.contains(link.namespace)
    link.options = link.usualOptions(onHost: hostNamespaces.contains(link.namespace), withIPv6: withIPv6)
    blueprint.links.append(link)
  }

  fileprivate mutating func addAddresses() {
    for vm in lab.vms {
      let namespace = lab.namespace(of: vm.name)
      for port in vm.allPorts {
        for address in port.addresses {
          blueprint.addresses.append(
            Address(namespace: namespace, device: port.device, address: address, origin: port.location))
        }
        // A gateway has to be on the link before it can be used.
        for route in port.routes.filter({ $0.gateway == nil }) + port.routes.filter({ $0.gateway != nil }) {
          blueprint.routes.append(
            RouteEntry(
              namespace: namespace, destination: route.destination, gateway: route.gateway,
              device: port.device,
              origin: route.location))
        }
      }
    }
  }
}
