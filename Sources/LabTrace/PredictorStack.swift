import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

// The IP stack: routes, neighbours, and what becomes of packets that arrive.
extension Predictor {
  private typealias Way = (entry: Netlink.Route, device: Place, source: IPAddress, nextHop: IPAddress)

  /// Predicts a packet that a node itself sends. `chosen` learns its source address and device.
  mutating func send(
    _ content: IPPacket.Content, to destination: IPAddress, from namespace: String, source: IPAddress?,
    length: Int,
    kind: Trace.Phase.Kind, chosen: (IPAddress, Place) -> Void = { _, _ in }
  ) -> Walk {
    var packet = IPPacket(
      source: source ?? destination, destination: destination, content: content, length: length)
    begin(kind, packet.description)
    guard let way = route(packet, in: namespace, source: source, isForwarded: nil) else {
      if source == nil { walk.phase.packet = "\(content.words), > \(destination), \(length) bytes" }
      return end()
    }
    packet.source = way.source
    walk.phase.packet = packet.description
    chosen(way.source, way.device)
    output(packet, way)
    return end()
  }

  /// Sends a packet on that is not this node's.
  mutating func route(onward packet: IPPacket, from place: Place) {
    guard let way = route(packet, in: place.namespace, source: packet.source, isForwarded: place) else {
      return
    }
    output(packet, way)
  }

  /// Looks the way up, and writes it down. `input` is the device that a forwarded packet came in by.
  private mutating func route(
    _ packet: IPPacket, in namespace: String, source: IPAddress?, isForwarded input: Place?
  ) -> Way? {
    guard let node = world.nodes[namespace] else { return nil }
    let nobody = Place(namespace: namespace, index: 0)
    let destination = packet.destination
    let answer = node.route(to: destination, from: source, input: input.map(name))
    guard case .route(let entry) = answer, let index = entry.firstLink else {
      if input == nil { section(.ingress, nobody) }
      if case .refused(let words, let remedy) = answer {
        stage("route", "\(destination): \(words)")
        drop(
          .routeRefused, at: nobody, "\(world.node(namespace)) refuses packets to \(destination): \(words)",
          remedy: remedy)
      } else {
        explainMissingRoute(to: destination, node, nobody)
      }
      return nil
    }
    let device = Place(namespace: namespace, index: index)
    if input == nil { section(.ingress, device) }
    let nextHop = entry.firstGateway ?? destination
    guard let address = source ?? node.source(for: entry, to: nextHop) else {
      stage("route", "\(destination) is in \(node.text(of: entry))")
      drop(.noSourceAddress, at: device, "\(world.label(device)) has no address to send from")
      return nil
    }
    stage(
      "route", "\(destination) is in \(node.text(of: entry))",
      input == nil ? ["ip.src = \(address);", "next;"] : ["next;"])
    return (entry, device, address, nextHop)
  }

  private mutating func explainMissingRoute(to destination: IPAddress, _ node: NodeSnapshot, _ nobody: Place)
  {
    stage("route", "\(destination): no route")
    for address in node.addresses where address.address.contains(destination) {
      let place = Place(namespace: nobody.namespace, index: address.link)
      guard let device = world[place], !device.isUp else { continue }
      return drop(
        .deviceDown, at: place, "\(world.label(place)) is down, so there is no route to \(destination)",
        remedy: "ip link set \(device.name) up")
    }
    let own = node.addresses.filter {
      !$0.address.address.isLoopback && $0.address.family == destination.family
    }
    let place = own.first.map { Place(namespace: nobody.namespace, index: $0.link) } ?? nobody
    let has =
      own.isEmpty
      ? "it has no address" : "it has \(own.map { "\($0.address)" }.joined(separator: ", "))"
    let lost = own.first { $0.address.contains(destination) }
    let remedy = lost.flatMap { address in
      node.devices[address.link].map { "ip route add \(address.address.subnet) dev \($0.name)" }
    }
    drop(
      .noRoute, at: place, "\(world.node(nobody.namespace)) has no route to \(destination); \(has)",
      remedy: remedy)
  }

  /// Sends a routed packet: neighbour, then device (`ip_finish_output2`).
  private mutating func output(_ packet: IPPacket, _ way: Way) {
    var packet = packet
    let device = world[way.device]
    let mtu = way.entry.mtu.map(Int.init) ?? device?.mtu ?? 1500
    if packet.length > mtu, device?.kind != .loopback {
      guard packet.content == .echoReply else {
        stage("mtu", "\(packet.length) bytes, mtu \(mtu)")
        return drop(
          .mtuExceeded, at: way.device,
          "the packet has \(packet.length) bytes, \(world.label(way.device)) has mtu \(mtu)",
          remedy: "ip link set \(name(way.device)) mtu \(packet.length)")
      }
      stage("mtu", "\(packet.length) bytes, mtu \(mtu)", ["fragment;"])
      packet.length = mtu
    }
    hooks(in: way.device.namespace) { $0.isNetfilter(["inet", "ip"], ["output", "postrouting"]) }
    guard let frame = frame(packet, way) else { return }
    transmit(frame, by: way.device)
  }

  private mutating func frame(_ packet: IPPacket, _ way: Way) -> Packet? {
    guard let device = world[way.device] else { return nil }
    func frame(to mac: MACAddress) -> Packet {
      Packet(source: device.mac, destination: mac, payload: .ip(packet))
    }
    if device.kind == .loopback { return frame(to: MACAddress(value: 0)) }
    if way.entry.kind == .local {
      transmitLocally(packet, way.device)
      return nil
    }
    if way.entry.kind == .broadcast { return frame(to: Packet.broadcast) }
    if way.nextHop.isMulticast {
      return frame(to: MACAddress(value: 0x0100_5e00_0000 | UInt64(way.nextHop.value & 0x7f_ffff)))
    }
    guard device.usesARP else {
      stage("neighbour", "ARP is off on \(device.name)", ["eth.dst = \(device.mac);  /* its own address */"])
      suspicions.append(
        Trace.Drop(
          reason: .arpDisabled, namespace: way.device.namespace, device: device.name,
          explanation:
            "ARP is off on \(world.label(way.device)): frames leave with its own address as destination",
          remedy: command("ip link set \(device.name) arp on", in: way.device.namespace)))
      return frame(to: device.mac)
    }
    guard let mac = neighbour(way.nextHop, on: way.device, source: way.source) else { return nil }
    return frame(to: mac)
  }

  /// A packet to an address of the node's own goes by the loopback device.
  private mutating func transmitLocally(_ packet: IPPacket, _ place: Place) {
    guard let lo = world.place(place.namespace, "lo") else { return }
    transmit(
      Packet(source: MACAddress(value: 0), destination: MACAddress(value: 0), payload: .ip(packet)), by: lo)
  }

  /// The link-layer address of a neighbour, from the table or by asking.
  private mutating func neighbour(_ address: IPAddress, on place: Place, source: IPAddress) -> MACAddress? {
    let key = NeighbourKey(device: place.index, address: address)
    let known = world.nodes[place.namespace]?.neighbours[key]
    if let mac = known?.mac {
      stage("neighbour", "\(address) is \(mac) (\(known?.state ?? []))", ["eth.dst = \(mac);", "next;"])
      suspect(mac, of: address, on: place)
      return mac
    }
    let what = address.family == .ipv4 ? "arp" : "neighbour discovery"
    let blamed = interrupting { $0.resolve(address, on: place, source: source, what) }
    if let mac = world.nodes[place.namespace]?.neighbours[key]?.mac {
      stage("neighbour", "\(address) is \(mac) (asked for, see \(what))", ["eth.dst = \(mac);", "next;"])
      return mac
    }
    stage("neighbour", "\(address): nobody answers")
    drop(.noAnswerToARP, at: place, "nobody answers \(what) for \(address)")
    if let blamed, !walk.drops.isEmpty { walk.drops[walk.drops.count - 1].drop = blamed }
    return nil
  }

  /// Notes a neighbour entry with another address than the target has.
  private mutating func suspect(_ mac: MACAddress, of address: IPAddress, on place: Place) {
    guard let target, let device = world[target], device.mac != mac,
      world.nodes[target.namespace]?.address(address)?.link == target.index
    else { return }
    suspicions.append(
      Trace.Drop(
        reason: .wrongNeighbour, namespace: place.namespace, device: name(place),
        explanation: "\(world.node(place.namespace)) takes \(address) to be \(mac) on \(name(place)), "
          + "\(world.label(target)) has \(device.mac)",
        remedy: command("ip neigh del \(address) dev \(name(place))", in: place.namespace)))
  }

  /// Asks who has an address, and follows the answers. Returns what keeps one from coming.
  private mutating func resolve(
    _ address: IPAddress, on place: Place, source: IPAddress, _ what: String
  ) -> Trace.Drop? {
    guard let device = world[place] else { return nil }
    begin(
      .resolution, "\(what): who has \(address)? tell \(source)", key: "who has \(address) tell \(source)")
    section(.ingress, place)
    let group =
      address.family == .ipv4
      ? Packet.broadcast : MACAddress(value: 0x3333_ff00_0000 | UInt64(address.value & 0xff_ffff))
    transmit(
      Packet(
        source: device.mac, destination: group,
        payload: .resolution(isRequest: true, sender: source, target: address)), by: place)
    let asked = end()
    let answering = asked.arrivals.filter(\.answers)
    // Where nobody is meant to have the address, nobody is to blame.
    if target == nil, answering.isEmpty, asked.drops.allSatisfy(\.isSide) { return nil }
    guard !answering.isEmpty else { return blame(asked) }
    let meant = target
    defer { target = meant }
    target = place
    var blamed: Trace.Drop?
    for arrival in answering {
      guard let answerer = world[arrival.place] else { continue }
      begin(
        .resolutionAnswer, "\(what): \(address) is at \(answerer.mac)", key: "\(address) is at, \(source)")
      section(.ingress, arrival.place)
      transmit(
        Packet(
          source: answerer.mac, destination: device.mac,
          payload: .resolution(isRequest: false, sender: address, target: source)), by: arrival.place)
      let answered = end()
      if !answered.arrivals.contains(where: { $0.place == place }) { blamed = blame(answered) }
    }
    return blamed
  }
}

extension IPPacket.Content {
  var words: String {
    switch self {
    case .echoRequest: "icmp echo request"
    case .echoReply: "icmp echo reply"
    case .udp(let port): "udp to port \(port)"
    case .tcp(let port): "tcp SYN to port \(port)"
    case .answer(let words): words
    }
  }
}

extension PacketHook.Point {
  func isNetfilter(_ families: Set<String>, _ hooks: Set<String>) -> Bool {
    if case .netfilter(let family, let hook) = self {
      families.contains(family) && hooks.contains(hook)
    } else {
      false
    }
  }
}
