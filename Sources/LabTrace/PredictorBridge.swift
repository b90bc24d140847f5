import LabKernel
import Netlink
import Values

// Bridges: `br_handle_frame_finish` and what follows it.
extension Predictor {
  /// Takes a frame in at a bridge's port.
  mutating func enterBridge(_ packet: Packet, port place: Place, bridge: Place) {
    guard let device = world[bridge], case .bridge(let options) = device.kind, let port = world[place]?.port
    else {
      return drop(.notModelled, at: bridge, "\(name(bridge)) is not a bridge")
    }
    let portName = name(place)
    guard device.isUp else {
      stage("port", "\(device.name) is down")
      return drop(
        .deviceDown, at: bridge, "the bridge \(device.name) is down", remedy: "ip link set \(device.name) up")
    }
    guard port.state == .forwarding || port.state == .learning else {
      stage("port", "\(portName) is \(port.state)")
      return drop(
        .portState, at: place, "port \(portName) of \(device.name) is \(port.state)\(stpText(options))",
        remedy: stateRemedy(portName, options, device.name))
    }
    if packet.destination.value >> 4 == 0x0180_c200_000 {
      stage("port", "\(packet.destination) is a link-local group")
      return drop(.linkLocalGroup, at: place, "a bridge does not forward frames to \(packet.destination)")
    }
    var packet = packet
    var vlan = 0
    if options.filtersVLANs {
      guard let admitted = admit(packet, port, portName, place, device.name) else { return }
      vlan = admitted
      packet.tag = admitted
    } else {
      stage("port", "\(portName) is \(port.state); \(device.name) does not filter VLANs", ["next;"])
    }
    guard learn(packet, vlan, port, place, bridge, options) else { return }
    let callsIPTables =
      packet.isIPv4
      && (options.callsIPTables
        || world.nodes[bridge.namespace]?.isOn("net/bridge/bridge-nf-call-iptables") == true)
    hooks(in: bridge.namespace) {
      $0.isNetfilter(
        callsIPTables ? ["bridge", "ip", "inet"] : ["bridge"], ["prerouting", "forward", "postrouting"])
    }
    forward(packet, vlan: vlan, in: bridge, options, from: place)
  }

  /// The VLAN that a frame belongs to; nil if it may not come in.
  private mutating func admit(
    _ packet: Packet, _ port: Device.Port, _ name: String, _ place: Place, _ bridge: String
  ) -> Int? {
    if let tag = packet.tag {
      guard port.vlans[tag] != nil else {
        stage("vlan", "\(name) has VLANs \(port.vlanText); the frame carries VLAN \(tag)")
        drop(
          .vlanNotAllowed, at: place,
          "port \(name) has VLANs \(port.vlanText), the frame carries VLAN \(tag)",
          remedy: "bridge vlan add dev \(name) vid \(tag)")
        return nil
      }
      stage("vlan", "the frame carries VLAN \(tag), which \(name) lets in", ["vlan = \(tag);", "next;"])
      return tag
    }
    guard let pvid = port.pvid else {
      stage("vlan", "\(name) has VLANs \(port.vlanText), none is PVID; the frame is untagged")
      drop(
        .noPVID, at: place,
        "port \(name) of \(bridge) has no PVID (VLANs: \(port.vlanText)), the frame is untagged",
        remedy: "bridge vlan add dev \(name) vid \(port.vlans.keys.min() ?? 1) pvid untagged")
      return nil
    }
    stage("vlan", "untagged, \(name) has PVID \(pvid)", ["vlan = \(pvid);", "next;"])
    return pvid
  }

  /// Looks at where the frame comes from; false if a locked port refuses it.
  private mutating func learn(
    _ packet: Packet, _ vlan: Int, _ port: Device.Port, _ place: Place, _ bridge: Place,
    _ options: Device.Bridge
  ) -> Bool {
    let key = ForwardingKey(bridge: bridge.index, mac: packet.source, vlan: vlan)
    let known = world.nodes[bridge.namespace]?.forwarding[key]
    if port.isOn(.locked), known?.device != place.index || known?.isLocal == true {
      stage("learn", "\(name(place)) is locked; \(packet.source) is not known on it")
      drop(
        .locked, at: place, "port \(name(place)) is locked and \(packet.source) is not known on it",
        remedy: "bridge link set dev \(name(place)) locked off")
      return false
    }
    switch (port.isOn(.learning) && options.ageing > 0, known) {
    case (false, _):
      stage(
        "learn",
        port.isOn(.learning) ? "ageing time is 0: nothing is learnt" : "learning is off on \(name(place))",
        ["next;"])
    case (true, let entry?) where entry.isLocal:
      stage("learn", "\(packet.source) is the bridge's own address", ["next;"])
      suspicions.append(
        Trace.Drop(
          reason: .duplicateMAC, namespace: place.namespace, device: name(place),
          explanation:
            "\(name(bridge)) has \(packet.source) as its own address (on \(deviceName(entry, bridge))), "
            + "and gets frames from it on \(name(place))"))
    case (true, let entry?) where entry.device == place.index:
      stage("learn", "\(packet.source) is known on \(name(place))", ["next;"])
    case (true, let entry?) where entry.isSticky:
      stage("learn", "\(packet.source) sticks to \(deviceName(entry, bridge))", ["next;"])
    case (true, let entry):
      let before = entry.map { "was on \(deviceName($0, bridge))" } ?? "is new"
      stage("learn", "\(packet.source) \(before)", ["fdb.put(\(packet.source), \(name(place)));", "next;"])
      world.nodes[bridge.namespace]?.forwarding[key] = ForwardingPort(device: place.index)
    }
    if port.state == .learning {
      drop(.portState, at: place, "port \(name(place)) is learning: it does not forward yet")
      return false
    }
    return true
  }

  /// Sends a frame on, out of all ports or of one. `ingress` is nil for what the host itself sends.
  mutating func forward(
    _ packet: Packet, vlan: Int, in bridge: Place, _ options: Device.Bridge, from ingress: Place?
  ) {
    let isGroup = packet.destination.isMulticast
    if isGroup {
      if ingress != nil { deliverToBridge(packet, vlan, bridge, options) }
      return flood(packet, vlan, bridge, options, from: ingress, "\(packet.destination) is a group")
    }
    let text = "\(packet.destination)\(options.filtersVLANs ? " vlan \(vlan)" : "")"
    let key = ForwardingKey(bridge: bridge.index, mac: packet.destination, vlan: vlan)
    guard let entry = world.nodes[bridge.namespace]?.forwarding[key] else {
      return flood(packet, vlan, bridge, options, from: ingress, "\(text) is not known")
    }
    let port = Place(namespace: bridge.namespace, index: entry.device)
    suspect(entry, port, packet, bridge, vlan)
    if entry.isLocal || port == bridge {
      stage("fdb", "\(text) is the bridge's own (\(name(port)))", ["/* goes up to the host's own stack */"])
      return receive(packet, inStackOf: bridge)
    }
    stage("fdb", "\(text) is on \(name(port)) (\(entry.kind))", ["outport = \"\(name(port))\";", "output;"])
    switch exit(packet, vlan, port, bridge, options, from: ingress, flooding: false) {
    case .success(let frame): transmit(frame, by: port)
    case .failure(let obstacle):
      drop(
        obstacle.reason, at: obstacle.place ?? port, obstacle.explanation, remedy: obstacle.remedy, exit: port
      )
    }
  }

  /// Notes a forwarding entry that leads away from the device which has the address.
  private mutating func suspect(
    _ entry: ForwardingPort, _ port: Place, _ packet: Packet, _ bridge: Place, _ vlan: Int
  ) {
    guard let target, world[target]?.mac == packet.destination else { return }
    guard entry.isLocal || !world.reach(from: port).contains(target) else { return }
    let words = entry.isLocal ? "local" : entry.kind
    suspicions.append(
      Trace.Drop(
        reason: .wrongForwardingEntry, namespace: bridge.namespace, device: name(port),
        explanation: "the forwarding entry of \(name(bridge)) for \(packet.destination) (\(words)) names "
          + "\(name(port)), which does not lead to \(world.label(target))",
        remedy: command(
          "bridge fdb del \(packet.destination) dev \(name(port)) master\(vlan > 0 ? " vlan \(vlan)" : "")",
          in: bridge.namespace)))
  }

  /// What a bridge lets up to its own host.
  private mutating func deliverToBridge(
    _ packet: Packet, _ vlan: Int, _ bridge: Place, _ options: Device.Bridge
  ) {
    guard let device = world[bridge] else { return }
    if options.filtersVLANs, !device.isPromiscuous, options.vlans[vlan] == nil { return }
    var frame = packet
    if options.vlans[vlan]?.isUntagged == true { frame.tag = nil }
    stage("local", "\(device.name) itself gets a copy", hop: hop(bridge, .enters, tag: frame.tag))
    if world.nodes[bridge.namespace]?.addresses.contains(where: { $0.link == bridge.index }) == true {
      receive(frame, inStackOf: bridge)
    }
  }

  private mutating func flood(
    _ packet: Packet, _ vlan: Int, _ bridge: Place, _ options: Device.Bridge, from ingress: Place?,
    _ why: String
  ) {
    var outputs: [(port: Place, frame: Packet)] = []
    for port in world.ports(of: bridge) where port != ingress || world[port]?.port?.isOn(.hairpin) == true {
      switch exit(packet, vlan, port, bridge, options, from: ingress, flooding: true) {
      case .success(let frame): outputs.append((port, frame))
      case .failure(let obstacle):
        drop(
          obstacle.reason, at: obstacle.place ?? port, obstacle.explanation, remedy: obstacle.remedy,
          isSide: true,
          exit: port)
      }
    }
    let names = outputs.map { name($0.port) }
    stage("flood", why, names.isEmpty ? [] : ["outport = \(names.joined(separator: ", "));", "output;"])
    guard !outputs.isEmpty else {
      return drop(
        .nowhereToGo, at: bridge, "the bridge \(name(bridge)) has no other port that takes the frame")
    }
    if outputs.count > 1 { walk.depth += 1 }
    for (port, frame) in outputs {
      if outputs.count > 1 { section(.output, port) }
      transmit(frame, by: port)
    }
    if outputs.count > 1 { walk.depth -= 1 }
  }

  private struct Obstacle: Error {
    var reason: DropReason
    var explanation: String
    var remedy: String?
    /// Where it is, when not at the port.
    var place: Place?
  }

  /// The frame as it leaves by a port, or why it does not (`should_deliver`, `br_handle_vlan`).
  private func exit(
    _ packet: Packet, _ vlan: Int, _ place: Place, _ bridge: Place, _ options: Device.Bridge,
    from ingress: Place?,
    flooding: Bool
  ) -> Result<Packet, Obstacle> {
    guard let device = world[place], let port = device.port else {
      return .failure(
        Obstacle(reason: .notABridgePort, explanation: "\(name(place)) is no port of \(name(bridge))"))
    }
    func obstacle(_ reason: DropReason, _ words: String, _ remedy: String?) -> Result<Packet, Obstacle> {
      .failure(Obstacle(reason: reason, explanation: "port \(device.name) \(words)", remedy: remedy))
    }
    if place == ingress && !port.isOn(.hairpin) {
      return obstacle(.hairpin, "is where the frame came from, and hairpin is off", nil)
    }
    if case .veth(let peer?) = device.kind, let other = world[peer], device.isUp, !other.isUp {
      return .failure(
        Obstacle(
          reason: .deviceDown,
          explanation: "\(world.label(peer)) is down, so \(device.name) has no carrier",
          remedy: "ip link set \(other.name) up", place: peer))
    }
    if !device.isUp {
      return .failure(
        Obstacle(
          reason: .deviceDown, explanation: "\(device.name) is down", remedy: "ip link set \(device.name) up")
      )
    }
    if port.state != .forwarding {
      return obstacle(
        .portState, "of \(name(bridge)) is \(port.state)\(stpText(options))",
        stateRemedy(device.name, options, name(bridge)))
    }
    if flooding {
      let flag: BridgePortOptions.Flag =
        packet.destination == Packet.broadcast
        ? .broadcastFlood : packet.destination.isMulticast ? .multicastFlood : .flood
      if !port.isOn(flag) {
        return obstacle(
          .floodingOff, "has \(BridgePortOptions.text(flag, false))",
          "bridge link set dev \(device.name) \(BridgePortOptions.text(flag, true))")
      }
    }
    var frame = packet
    if options.filtersVLANs {
      guard let flags = port.vlans[vlan] else {
        return obstacle(
          .vlanNotAllowed, "has VLANs \(port.vlanText), the frame carries VLAN \(vlan)",
          "bridge vlan add dev \(device.name) vid \(vlan)")
      }
      frame.tag = flags.isUntagged ? nil : vlan
      frame.taggedBy = flags.isUntagged ? nil : place
    }
    if port.isOn(.isolated), let ingress, world[ingress]?.port?.isOn(.isolated) == true {
      return obstacle(
        .isolated, "is isolated, and so is \(name(ingress))",
        "bridge link set dev \(device.name) isolated off")
    }
    if packet.length > device.mtu + 4 {
      return .failure(
        Obstacle(
          reason: .mtuExceeded,
          explanation: "the packet has \(packet.length) bytes, \(device.name) has mtu \(device.mtu)",
          remedy: "ip link set \(device.name) mtu \(packet.length)"))
    }
    return .success(frame)
  }

  private func deviceName(_ entry: ForwardingPort, _ bridge: Place) -> String {
    name(Place(namespace: bridge.namespace, index: entry.device))
  }

  private func stpText(_ options: Device.Bridge) -> String { options.hasSTP ? " (STP is on)" : "" }

  private func stateRemedy(_ port: String, _ options: Device.Bridge, _ bridge: String) -> String {
    options.hasSTP ? "ip link set \(bridge) type bridge stp_state 0" : "bridge link set dev \(port) state 3"
  }
}
