import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

// Devices: what leaves one, and what enters one.
extension Predictor {
  /// More than any way without a loop has: devices in a row, and devices in all.
  private static let (nestingLimit, stepLimit) = (48, 1 << 14)

  /// Gives a frame to a device to send (`dev_queue_xmit`).
  mutating func transmit(_ packet: Packet, by place: Place) {
    guard let device = world[place] else { return }
    walk.steps += 1
    walk.nesting += 1
    defer { walk.nesting -= 1 }
    guard walk.nesting < Self.nestingLimit, walk.steps < Self.stepLimit else {
      return drop(.loop, at: place, "the packet goes round in a loop; \(device.name) is on it")
    }
    guard device.isUp else {
      stage("output", "\(device.name) is down")
      return drop(
        .deviceDown, at: place, "\(world.label(place)) is down", remedy: "ip link set \(device.name) up",
        exit: place)
    }
    switch device.kind {
    case .veth(let peer): transmit(packet, byVeth: place, device, to: peer)
    case .vlan(let id, let parent): transmit(packet, bySubinterface: place, device, id: id, parent: parent)
    case .bridge(let bridge):
      section(.bridge, place)
      stage("output", "\(device.name) is up", hop: hop(place, .leaves, tag: packet.tag))
      forward(packet, vlan: packet.tag ?? 0, in: place, bridge, from: nil)
    case .loopback:
      stage("output", "\(device.name) is up", hop: hop(place, .leaves, tag: nil))
      section(.egress, place)
      stage("input", device.name, hop: hop(place, .enters, tag: nil))
      receive(packet, inStackOf: place)
    case .other(let kind):
      stage("output", "\(device.name) is a \(kind) device")
      drop(.notModelled, at: place, "what a \(kind) device does with packets is not predicted")
    }
  }

  private mutating func transmit(_ packet: Packet, byVeth place: Place, _ device: Device, to peer: Place?) {
    guard let peer, let other = world[peer] else {
      stage("output", "\(device.name): the other end is not in the lab")
      return drop(
        .peerMissing, at: place, "the other end of \(world.label(place)) is in no namespace of the lab")
    }
    guard other.isUp else {
      stage("output", "\(device.name) has no carrier")
      return drop(
        .deviceDown, at: peer, "\(world.label(peer)) is down, so \(world.label(place)) has no carrier",
        remedy: "ip link set \(other.name) up", exit: place)
    }
    hooks(in: place.namespace) { $0 == .trafficControl(device: device.name, direction: "egress") }
    stage(
      "output", "\(device.name) is up, mtu \(device.mtu)",
      [
        "/* veth to \(other.name)\(peer.namespace == place.namespace ? "" : " in \(world.node(peer.namespace))") */"
      ],
      hop: hop(place, .leaves, tag: packet.tag))
    // veth hands over what fits its peer's MTU, with room for one tag (is_skb_forwardable).
    guard packet.length <= other.mtu + 4 else {
      return drop(
        .mtuExceeded, at: peer,
        "the packet has \(packet.length) bytes, \(world.label(peer)) has mtu \(other.mtu)",
        remedy: "ip link set \(other.name) mtu \(packet.length)", exit: place)
    }
    receive(packet, on: peer)
  }

  private mutating func transmit(
    _ packet: Packet, bySubinterface place: Place, _ device: Device, id: Int, parent: Int32
  ) {
    hooks(in: place.namespace) { $0 == .trafficControl(device: device.name, direction: "egress") }
    stage("output", "\(device.name) is up, mtu \(device.mtu)", hop: hop(place, .leaves, tag: packet.tag))
    guard packet.tag == nil else {
      return drop(.notModelled, at: place, "a second tag is not predicted")
    }
    var tagged = packet
    tagged.tag = id
    stage("vlan", "\(device.name) has id \(id)", ["push vlan \(id);"])
    transmit(tagged, by: Place(namespace: place.namespace, index: parent))
  }

  /// Takes a frame from the wire (`__netif_receive_skb_core`).
  mutating func receive(_ packet: Packet, on place: Place) {
    guard let device = world[place] else { return }
    let inner = packet.tag.flatMap { tag in
      world.subinterfaces(of: place).first { world[$0]?.vlan == tag }
    }
    let final = inner ?? place
    if let master = world[final]?.master {
      section(.bridge, Place(namespace: place.namespace, index: master), port: final)
    } else {
      section(world.virtualMachines.contains(place.namespace) ? .egress : .ingress, place)
    }
    stage("input", "\(device.name) is up", hop: hop(place, .enters, tag: packet.tag))
    hooks(in: place.namespace) { $0 == .trafficControl(device: device.name, direction: "ingress") }
    var packet = packet
    if let inner, let subinterface = world[inner], let tag = packet.tag {
      stage(
        "vlan", "\(subinterface.name) is \(device.name)'s subinterface for vlan \(tag)", ["pop vlan \(tag);"])
      guard subinterface.isUp else {
        return drop(
          .deviceDown, at: inner, "\(world.label(inner)) is down",
          remedy: "ip link set \(subinterface.name) up")
      }
      packet.tag = nil
      stage("input", subinterface.name, hop: hop(inner, .enters, tag: nil))
    }
    if let master = world[final]?.master {
      enterBridge(packet, port: final, bridge: Place(namespace: final.namespace, index: master))
    } else if let tag = packet.tag {
      refuse(packet, tag, at: place)
    } else if !world.virtualMachines.contains(place.namespace), !hasAddress(final) {
      drop(.notABridgePort, at: final, "\(world.label(final)) is not a port of any bridge")
    } else {
      receive(packet, inStackOf: final)
    }
  }
}

extension Predictor {
  /// A tagged frame at a device that has no subinterface for it, and is no port.
  private mutating func refuse(_ packet: Packet, _ tag: Int, at place: Place) {
    let others = world.subinterfaces(of: place).compactMap { world[$0]?.vlan }.map { "\($0)" }
    let words =
      "\(world.label(place)) has no subinterface for VLAN \(tag)"
      + (others.isEmpty ? "" : " (it has \(others.joined(separator: ", ")))")
    guard let port = packet.taggedBy, others.isEmpty else {
      return drop(.unknownTag, at: place, words, isSide: place != target)
    }
    let name = name(port)
    if place == target {
      suspicions.append(
        Trace.Drop(
          reason: .tagNotRemoved, namespace: port.namespace, device: name,
          explanation: "port \(name) sends VLAN \(tag) with its tag (not Egress Untagged), and \(words)",
          remedy: command("bridge vlan add dev \(name) vid \(tag) pvid untagged", in: port.namespace)))
    }
    drop(.unknownTag, at: place, words, isSide: place != target)
  }

  private func hasAddress(_ place: Place) -> Bool {
    world.nodes[place.namespace]?.addresses.contains { $0.link == place.index } == true
  }
}

extension Device {
  /// The VLAN id of a subinterface.
  var vlan: Int? { if case .vlan(let id, _) = kind { id } else { nil } }
}
