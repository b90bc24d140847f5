import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

// What an IP stack does with what arrives.
extension Predictor {
  /// Gives a frame to a node's own stack (`ip_rcv`, `arp_rcv`).
  mutating func receive(_ packet: Packet, inStackOf place: Place) {
    guard let device = world[place] else { return }
    let isMine =
      packet.destination == device.mac || packet.destination.isMulticast || device.kind == .loopback
    guard isMine else {
      return drop(
        .notForMe, at: place,
        "the frame is for \(packet.destination), \(world.label(place)) is \(device.mac)",
        isSide: place != target)
    }
    switch packet.payload {
    case .raw:
      stage("deliver", "the frame is for \(device.name)", ["/* delivered to \(label(place)) */"])
      walk.arrivals.append(Arrival(place: place, packet: packet, answers: false))
    case .resolution(let isRequest, let sender, let target):
      takeResolution(packet, isRequest, sender: sender, target: target, place, device)
    case .ip(let content): takeIP(packet, content, place, device)
    }
  }

  private mutating func takeResolution(
    _ packet: Packet, _ isRequest: Bool, sender: IPAddress, target address: IPAddress, _ place: Place,
    _ device: Device
  ) {
    guard let node = world.nodes[place.namespace] else { return }
    let isSide = place != target
    guard device.usesARP else {
      return drop(
        .arpDisabled, at: place, "ARP is off on \(world.label(place))",
        remedy: "ip link set \(device.name) arp on",
        isSide: isSide)
    }
    let key = NeighbourKey(device: place.index, address: sender)
    let known = node.neighbours[key]
    guard let own = node.address(address) else {
      if known != nil, known?.isPermanent == false, address.family == .ipv4 {
        world.nodes[place.namespace]?.neighbours[key] = NeighbourEntry(mac: packet.source, state: .stale)
      }
      let mine = node.addresses.filter { $0.link == place.index && $0.address.family == address.family }
      return drop(
        .addressNotLocal, at: place,
        "\(world.label(place)) does not have \(address)"
          + (mine.isEmpty ? "" : ", it has \(mine.map { "\($0.address)" }.joined(separator: ", "))"),
        isSide: isSide)
    }
    if own.isDuplicate || own.isTentative {
      return drop(
        .duplicateAddressDetected, at: place,
        "\(world.label(place)) does not use \(address): "
          + (own.isDuplicate
            ? "duplicate address detection failed, another host has it"
            : "duplicate address detection is under way"),
        remedy: "ip addr del \(own.address) dev \(device.name)", isSide: isSide)
    }
    let ignore = max(device.arpIgnore, node.number("net/ipv4/conf/all/arp_ignore"))
    if isRequest, address.family == .ipv4,
      ignore == 8 || ((1...2).contains(ignore) && own.link != place.index)
    {
      return drop(
        .arpDisabled, at: place, "\(world.label(place)) has arp_ignore \(ignore), so it does not answer",
        remedy: "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.\(device.name).arp_ignore=0",
        isSide: isSide)
    }
    if isRequest, let problem = node.sourceProblem(sender, on: device) {
      return drop(
        problem.reason, at: place, "\(world.label(place)) does not answer ARP: \(problem.explanation)",
        remedy: problem.remedy, isSide: isSide)
    }
    let words = address.family == .ipv4 ? "arp" : "nd"
    let learnt = ["neighbour.put(\(sender), \(packet.source));"]
    if known?.isPermanent == true {
      stage(
        words, "\(sender) is fixed to \(known?.mac?.description ?? "nothing")", isRequest ? ["answer;"] : [])
    } else {
      stage(words, "\(address) is \(device.name)'s", learnt + (isRequest ? ["answer;"] : []))
      world.nodes[place.namespace]?.neighbours[key] = NeighbourEntry(
        mac: packet.source, state: isRequest ? .stale : .reachable)
    }
    walk.arrivals.append(Arrival(place: place, packet: packet, answers: isRequest))
  }

  private mutating func takeIP(_ frame: Packet, _ packet: IPPacket, _ place: Place, _ device: Device) {
    guard let node = world.nodes[place.namespace] else { return }
    let isIPv4 = packet.destination.family == .ipv4
    if !isIPv4, device.disablesIPv6 {
      return drop(
        .ipv6Disabled, at: place, "IPv6 is off on \(world.label(place))",
        remedy: "sysctl -w net.ipv6.conf.\(device.name).disable_ipv6=0")
    }
    hooks(in: place.namespace) {
      $0.isNetfilter([isIPv4 ? "ip" : "ip6", "inet"], ["ingress", "prerouting"])
    }
    let isLoopback = device.kind == .loopback
    let own = node.address(packet.destination)
    var isBroadcast = frame.destination == Packet.broadcast && own == nil
    if case .route(let entry) = node.route(to: packet.destination), entry.kind == .broadcast {
      isBroadcast = true
    }
    guard own != nil || isBroadcast else {
      guard device.forwards else {
        return drop(
          .addressNotLocal, at: place,
          "\(world.node(place.namespace)) does not have \(packet.destination), and does not forward",
          remedy: "ip addr add \(packet.destination) dev \(device.name)",
          isSide: frame.destination.isMulticast)
      }
      return forwardIP(packet, place, device)
    }
    if !isLoopback, let problem = node.sourceProblem(packet.source, on: device) {
      stage("source", "\(packet.source)")
      return drop(
        problem.reason, at: place, "\(world.label(place)) refuses the packet: \(problem.explanation)",
        remedy: problem.remedy)
    }
    hooks(in: place.namespace) { $0.isNetfilter([isIPv4 ? "ip" : "ip6", "inet"], ["input"]) }
    let words = isBroadcast ? "\(packet.destination) is a broadcast" : "\(packet.destination) is local"
    if packet.content == .echoRequest {
      let setting = isIPv4 ? "net/ipv4/icmp_echo_ignore_all" : "net/ipv6/icmp/echo_ignore_all"
      if node.isOn(setting) {
        stage("deliver", words)
        let key = setting.replacing("/", with: ".")
        return drop(
          .echoIgnored, at: place, "\(world.node(place.namespace)) ignores echo requests: \(key) is 1",
          remedy: "sysctl -w \(key)=0")
      }
    }
    stage("deliver", words, ["/* delivered to \(label(place)) */"])
    // Nothing refuses a broadcast, and echo requests are answered if the node is set so.
    let isSilent =
      isBroadcast
      && (packet.content != .echoRequest || node.isOn("net/ipv4/icmp_echo_ignore_broadcasts"))
    let isAnswer =
      switch packet.content {
      case .echoReply, .answer: true
      default: false
      }
    walk.arrivals.append(Arrival(place: place, packet: frame, answers: !isSilent && !isAnswer))
  }

  private mutating func forwardIP(_ packet: IPPacket, _ place: Place, _ device: Device) {
    guard packet.timeToLive > 1 else {
      return drop(.timeToLive, at: place, "the packet's time to live ends at \(world.label(place))")
    }
    if let problem = world.nodes[place.namespace]?.sourceProblem(packet.source, on: device) {
      return drop(
        problem.reason, at: place, "\(world.label(place)): \(problem.explanation)", remedy: problem.remedy)
    }
    var packet = packet
    packet.timeToLive -= 1
    hooks(in: place.namespace) { $0.isNetfilter(["ip", "ip6", "inet"], ["forward"]) }
    route(onward: packet, from: place)
  }
}
