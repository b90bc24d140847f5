import LabKit
import Values

extension ResolvedLab {
  /// The lab as kernel objects, wired the way its datapath wires it.
  package func blueprint() -> Blueprint {
    var realiser = Realiser(lab: self)
    realiser.addNodes()
    datapath.wiring.addWiring(to: &realiser)
    realiser.addAddresses()
    realiser.addPrograms()
    return realiser.blueprint
  }
}

/// Collects the kernel objects of a lab. What every datapath needs is here; each datapath's wiring is in a file of its own.
package struct Realiser {
  let lab: ResolvedLab
  /// The ports and subports on each host, by the host's name.
  let ports: [String: [ResolvedPort]]
  /// The tags of each host, by the host's name.
  let tags: [String: [Int: Int]]
  /// What each namespace gives its devices.
  private var settings: [String: NodeSettings] = [:]

  private var namespaces: [Namespace] = []
  private var sysctls: [Sysctl] = []
  private var links: [Link] = []
  var vlans: [BridgeVLAN] = []
  private var addresses: [Address] = []
  private var routes: [RouteEntry] = []
  private var setups: [Setup] = []
  private var daemons: [Daemon] = []
  private var qdiscs: [Qdisc] = []

  fileprivate init(lab: ResolvedLab) {
    self.lab = lab
    self.ports = Dictionary(grouping: lab.vms, by: \.host).mapValues { $0.flatMap(\.allPorts) }
    self.tags = Dictionary(uniqueKeysWithValues: lab.hosts.map { ($0.name, $0.tags) })
  }

  fileprivate var blueprint: Blueprint {
    var blueprint = Blueprint()
    blueprint.namespaces = namespaces
    blueprint.sysctls = sysctls
    blueprint.links = links
    blueprint.vlans = vlans
    blueprint.addresses = addresses
    blueprint.routes = routes
    blueprint[Setup.self] = setups
    blueprint.daemons = daemons
    blueprint.qdiscs = qdiscs
    return blueprint
  }

  /// The namespaces of the nodes, with their settings and loopback.
  fileprivate mutating func addNodes() {
    for node in lab.nodes {
      let namespace = lab.namespace(of: node.name)
      let settings = node.declaration.settings(with: node.allPorts)
      self.settings[namespace] = settings
      namespaces.append(Namespace(name: namespace, origin: node.location))
      var loopback = Link(namespace: namespace, name: "lo", kind: Loopback(), origin: node.location)
      loopback.options = [.transmitQueueLength: 1000, .group: 0]
      links.append(loopback)
      let own = (node.declaration as? VM)?.sysctls ?? [:]
      for (key, value) in settings.sysctls where own[key] == nil {
        sysctls.append(Sysctl(namespace: namespace, key: key, value: "\(value)", origin: node.location))
      }
      for (key, value) in own.sorted(by: { $0.key < $1.key }) {
        sysctls.append(Sysctl(namespace: namespace, key: key, value: value, origin: node.location))
      }
    }
  }

  /// The cable between a VM's port and its tap on the host, plugged into a bridge; the bridge's side comes first.
  mutating func addTap(of port: ResolvedPort, vm: ResolvedNode, pluggedInto bridge: String) {
    let host = lab.namespace(of: vm.host)
    let inside = lab.namespace(of: vm.name)
    let tap = DeviceName.tap(port)
    add(
      Link(
        namespace: host, name: tap, kind: Veth(peerNamespace: inside, peer: port.device),
        mac: port.mac.hostSide,
        mtu: port.mtu, master: bridge, origin: port.location), altname: "tap-\(label(port, vm))")
    add(
      Link(
        namespace: inside, name: port.device, kind: Veth(peerNamespace: host, peer: tap), mac: port.mac,
        mtu: port.mtu, origin: port.location), role: "\(vm.name)/\(port.device)")
  }

  /// Both sides of a subport: the subinterface in the VM, and the one of the tap that is plugged into a bridge.
  ///
  /// A tagged frame reaches a subinterface of its VLAN before it reaches the bridge the tap itself is in.
  mutating func addSubinterfaces(
    of subport: ResolvedPort, parent: ResolvedPort, vm: ResolvedNode, pluggedInto bridge: String
  ) {
    guard let vlan = subport.vlan else { return }
    add(
      Link(
        namespace: lab.namespace(of: vm.host), name: DeviceName.tapSubinterface(of: parent, vlan: vlan),
        kind: VLANSubinterface(id: vlan, parent: DeviceName.tap(parent)), mtu: subport.mtu, master: bridge,
        origin: subport.location), altname: "tap-\(label(subport, vm))")
    add(
      Link(
        namespace: lab.namespace(of: vm.name), name: subport.device,
        kind: VLANSubinterface(id: vlan, parent: parent.device),
        mac: subport.mac, mtu: subport.mtu, origin: subport.location), role: "\(vm.name)/\(subport.device)")
  }

  /// What a person calls a port: the VM's name, and the interface where it is not the first one.
  func label(_ port: ResolvedPort, _ vm: ResolvedNode) -> String {
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
    if let settings = settings[link.namespace] { link.options = link.usualOptions(settings) }
    links.append(link)
  }

  fileprivate mutating func addAddresses() {
    for vm in lab.vms {
      let namespace = lab.namespace(of: vm.name)
      for port in vm.allPorts {
        if let impairment = port.impairment,
          let discipline = Qdisc.Discipline(impairment, mtu: port.mtu)
        {
          qdiscs.append(
            Qdisc(
              namespace: namespace, device: port.device, discipline: discipline, origin: impairment.location))
        }
        for address in port.addresses {
          addresses.append(
            Address(namespace: namespace, device: port.device, address: address, origin: port.location))
        }
        // A gateway has to be on the link before it can be used.
        for route in port.routes.filter({ $0.gateway == nil }) + port.routes.filter({ $0.gateway != nil }) {
          routes.append(
            RouteEntry(
              namespace: namespace, destination: route.destination, gateway: route.gateway,
              device: port.device,
              origin: route.location))
        }
      }
    }
  }

  /// What runs in the nodes: once, when they are new, and as long as they are there.
  fileprivate mutating func addPrograms() {
    for case (let node, let vm as VM) in lab.nodes.lazy.map({ ($0, $0.declaration) }) {
      guard let commands = vm.setup else { continue }
      setups.append(
        Setup(
          namespace: lab.namespace(of: node.name), node: node.name, commands: commands,
          hostname: node.hostname, origin: node.location))
    }
    for service in lab.services {
      daemons.append(
        Daemon(
          namespace: lab.namespace(of: service.node), service: service,
          hostname: lab.node(service.node)?.hostname ?? service.node))
    }
  }
}

extension NodeSettings {
  /// What is written in a new namespace, before it has devices.
  fileprivate var sysctls: [(key: String, value: Int)] {
    let ipv6 = ["all", "default"].map { ("net.ipv6.conf.\($0).disable_ipv6", hasIPv6 ? 0 : 1) }
    let arp = [
      ("net.ipv4.conf.default.arp_ignore", arpIgnore), ("net.ipv4.conf.default.arp_announce", arpAnnounce),
    ]
    // A namespace has 0 without being told.
    return ipv6 + arp.filter { $0.1 != 0 }
  }
}
