import LabChecks
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Values

/// One attribute of a lab made wrong.
package struct Mutation: Sendable {
  /// What is done to the lab: `qvode4f2069-52 in compute-1 down`.
  package var title: String
  /// The VM whose port it is about; `nil` for a host's switch.
  package var vm: String?
  /// A check, as it would stand in the lab, that would notice.
  package var suggestion: String
  /// The lab with the attribute made wrong.
  var blueprint: Blueprint
}

extension Mutation {
  /// All mutations of a lab that change what packets do, alternating between the VMs so that the first ones are
  /// about all of them.
  ///
  /// What no packet could show (a name, an alias, the MTU of a bridge) is left alone, and so is what only matters among
  /// several networks in a lab that has one.
  package static func all(of lab: ResolvedLab) -> [Mutation] {
    var maker = MutationMaker(lab: lab, blueprint: lab.blueprint())
    maker.makeAll()
    let byVM = Dictionary(grouping: maker.mutations, by: { $0.vm ?? "" }).sorted { $0.key < $1.key }.map(
      \.value)
    return (0..<(byVM.map(\.count).max() ?? 0)).flatMap { place in
      byVM.compactMap { place < $0.count ? $0[place] : nil }
    }
  }
}

private struct MutationMaker {
  let lab: ResolvedLab
  let blueprint: Blueprint
  var mutations: [Mutation] = []

  mutating func makeAll() {
    let wiring = Wiring(blueprint, of: lab)
    var seen: Set<LabDevice> = []
    for port in wiring.ports {
      for device in [port.interface] + port.chain where seen.insert(device).inserted {
        breakLink(device, of: port, in: wiring)
      }
      breakVLANs(of: port, in: wiring)
      breakAddresses(of: port)
      breakRoutes(of: port)
      breakQdiscs(of: port, in: wiring)
    }
    for bridge in Set(wiring.ports.compactMap(\.bridge)).sorted(by: { "\($0)" < "\($1)" }) {
      breakSwitch(bridge, ports: wiring.ports.filter { $0.bridge == bridge })
    }
  }

  private mutating func add(
    _ title: String, _ vm: String?, suggesting suggestion: String, _ change: (inout Blueprint) -> Void
  ) {
    var mutated = blueprint
    change(&mutated)
    guard mutated != blueprint else { return }
    mutations.append(Mutation(title: title, vm: vm, suggestion: suggestion, blueprint: mutated))
  }

  private mutating func addLink(
    _ title: String, _ device: LabDevice, _ vm: String?, suggesting suggestion: String,
    _ change: (inout Link) -> Void
  ) {
    let namespace = lab.namespace(of: device.node)
    guard
      let index = blueprint.links.firstIndex(where: { $0.name == device.name && $0.namespace == namespace })
    else { return }
    add("\(device) \(title)", vm, suggesting: suggestion) { change(&$0.links[index]) }
  }

  private mutating func breakLink(_ device: LabDevice, of port: WiredPort, in wiring: Wiring) {
    guard let link = wiring[device] else { return }
    let vm = port.interface.node
    let ping = ping(to: port, in: wiring)
    addLink("down", device, vm, suggesting: ping) { $0.isUp = false }
    if link.master != nil {
      add("\(device) off its bridge", vm, suggesting: ping) { blueprint in
        guard let index = blueprint.links.firstIndex(of: link) else { return }
        blueprint.links[index].master = nil
        // They go with the membership.
        blueprint.vlans.removeAll { $0.namespace == link.namespace && $0.device == link.name }
      }
    }
    // A bridge forwards by the MTU of its ports; a subinterface's tag takes four bytes of its parent's.
    if let mtu = link.mtu, link.kind is Veth {
      addLink("with mtu \(mtu - 100)", device, vm, suggesting: largePing(to: port, mtu: mtu, in: wiring)) {
        $0.mtu = mtu - 100
      }
    }
    if device == port.interface, let mac = link.mac {
      let other = MACAddress(value: mac.value ^ 0x0f)
      let neighbour = port.addresses.isEmpty ? nil : partner(of: port, in: wiring)
      let suggestion = neighbour.map { "Neighbour(of: \"\($0.interface.node)\", for: \"\(vm)\")" } ?? ping
      addLink("with address \(other)", device, vm, suggesting: suggestion) { $0.mac = other }
    }
  }

  private mutating func breakVLANs(of port: WiredPort, in wiring: Wiring) {
    guard port.isTagged, let tag = port.tag, let device = port.chain.last else { return }
    let vm = port.interface.node
    let namespace = lab.namespace(of: device.node)
    let foreign = (2...4094).first { id in !(wiring.ports.contains { $0.tag == id }) && id != tag } ?? 4094
    let sameTag =
      partner(of: port, in: wiring).map { "SameTag(\"\($0.interface.node)\", \"\(vm)\")" }
      ?? ping(to: port, in: wiring)
    func change(_ blueprint: inout Blueprint, _ body: (inout BridgeVLAN) -> Void) {
      for index in blueprint.vlans.indices
      where blueprint.vlans[index].device == device.name && blueprint.vlans[index].namespace == namespace {
        body(&blueprint.vlans[index])
      }
    }
    add("\(device) without vlan \(tag)", vm, suggesting: ping(to: port, in: wiring)) {
      $0.vlans.removeAll { $0.device == device.name && $0.namespace == namespace }
    }
    add("\(device) with vlan \(foreign) instead of \(tag)", vm, suggesting: sameTag) {
      change(&$0) { $0.vid = foreign }
    }
    // Another network of the host: what it floods would reach this port, too.
    guard
      let other = wiring.ports.first(where: {
        $0.bridge == port.bridge && $0.tag != nil && $0.tag != tag && $0.interface.node != vm
      }),
      let otherTag = other.tag
    else { return }
    add("\(device) with vlan \(otherTag) as well", vm, suggesting: leak(from: other, to: port)) {
      $0.vlans.append(
        BridgeVLAN(namespace: namespace, device: device.name, vid: otherTag, isPVID: false, isUntagged: true))
    }
    add(
      "\(device) with vlan \(otherTag) instead of \(tag)", vm,
      suggesting: "DifferentTag(\"\(vm)\", \"\(other.interface.node)\")"
    ) { change(&$0) { $0.vid = otherTag } }
  }

  private mutating func breakAddresses(of port: WiredPort) {
    let (vm, device) = (port.interface.node, port.interface.name)
    let wiring = Wiring(blueprint, of: lab)
    for address in port.addresses {
      let node = lab.namespace(of: vm)
      let suggestion = ping(to: port, in: wiring)
      add("\(port.interface) without \(address)", vm, suggesting: suggestion) {
        $0.addresses.removeAll { $0.namespace == node && $0.device == device && $0.address == address }
      }
    }
  }

  private mutating func breakRoutes(of port: WiredPort) {
    let vm = port.interface.node
    for route in blueprint.routes
    where route.namespace == lab.namespace(of: vm) && route.device == port.interface.name {
      add(
        "\(vm) without its route to \(route.destination)", vm,
        suggesting: "Ping(from: \"\(vm)\", to: …), to an address in \(route.destination)"
      ) { $0.routes.removeAll { $0 == route } }
    }
  }

  private mutating func breakQdiscs(of port: WiredPort, in wiring: Wiring) {
    let vm = port.interface.node
    for qdisc in blueprint.qdiscs
    where qdisc.namespace == lab.namespace(of: vm) && qdisc.device == port.interface.name {
      let other = partner(of: port, in: wiring)?.interface.node ?? "…"
      let suggestion =
        switch qdisc.discipline {
        case .netem(let netem) where netem.delay > 0:
          "Ping(from: \"\(vm)\", to: \"\(other)\").takes(.microseconds(\(netem.delay / 1000))...)"
        case .netem: "Ping(from: \"\(vm)\", to: \"\(other)\", count: 300).loses(1...)"
        case .tbf(let bucket):
          "Rate(from: \"\(vm)\", to: \"\(other)\", .bits(0)...(.bits(\(bucket.rate))))"
        }
      add("\(port.interface) without \(qdisc.discipline.words)", vm, suggesting: suggestion) {
        $0.qdiscs.removeAll { $0 == qdisc }
      }
    }
  }

  private mutating func breakSwitch(_ bridge: LabDevice, ports: [WiredPort]) {
    guard let first = ports.first,
      let second = ports.first(where: { $0.interface.node != first.interface.node })
    else {
      return
    }
    let names = (first.interface.node, second.interface.node)
    addLink("down", bridge, nil, suggesting: "Ping(from: \"\(names.0)\", to: \"\(names.1)\")") {
      $0.isUp = false
    }
    let members = Dictionary(grouping: ports, by: \.tag).values.first {
      Set($0.map(\.interface.node)).count > 2
    }
    if let members {
      let nodes = members.map(\.interface.node)
      let suggestion = "NotFlooded(from: \"\(nodes[0])\", to: \"\(nodes[1])\", observer: \"\(nodes[2])\")"
      addLink("forgetting addresses at once", bridge, nil, suggesting: suggestion) { link in
        guard var bridge = link.kind as? Bridge else { return }
        bridge.ageingTime = 0
        link.kind = bridge
      }
    }
    guard first.isTagged, let other = ports.first(where: { $0.tag != first.tag }) else { return }
    addLink("without vlan filtering", bridge, nil, suggesting: leak(from: first, to: other)) { link in
      guard var bridge = link.kind as? Bridge else { return }
      bridge.vlanFiltering = false
      link.kind = bridge
    }
  }

  // MARK: Suggestions

  /// Another VM on the same network.
  private func partner(of port: WiredPort, in wiring: Wiring) -> WiredPort? {
    wiring.ports.first {
      $0.network == port.network && $0.bridge == port.bridge && $0.interface.node != port.interface.node
    }
  }

  private func ping(to port: WiredPort, in wiring: Wiring) -> String {
    let vm = port.interface.node
    guard let other = partner(of: port, in: wiring) else { return "Ping(from: \"\(vm)\", to: …)" }
    return "Ping(from: \"\(other.interface.node)\", to: \"\(vm)\")"
  }

  /// The largest echo that fits: without the headers of IPv4 and ICMP.
  private func largePing(to port: WiredPort, mtu: Int, in wiring: Wiring) -> String {
    ping(to: port, in: wiring).dropLast() + ", size: \(mtu - 28), dontFragment: true)"
  }

  private func leak(from sender: WiredPort, to observer: WiredPort) -> String {
    let subnet = sender.addresses.first?.subnet
    let absent = subnet.flatMap { $0.broadcast }.map { IPAddress(family: $0.family, value: $0.value - 1) }
    let address = absent.map { "\($0)" } ?? "…"
    return "Capture(at: \"\(observer.interface.node)\", filter: \"arp and host \(address)\") "
      + "{ Unreachable(from: \"\(sender.interface.node)\", to: \"\(address)\") }.sees(.nothing)"
  }
}
