import LabKernel
import LabKit
import LabMachine
import LabModel
import LabTrace
import Netlink

extension NotFlooded: RunnableCheck {
  static let tools = [CheckTool.tcpdump]

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    guard let owner = context.lab.port(owning: target) else {
      throw Failure(expected: "\(target) to be a VM's address", seen: "no VM of the lab has it")
    }
    let network = context.lab.networks[owner.port.network]
    let sender = try context.port(of: from, on: network.name)
    let device = try context.device(
      context.port(of: observer, on: network.name).device, of: observer)
    // The first frames are flooded by right: no bridge knows yet where anybody is.
    let passage = context.passage(from, to, target)
    if let failure = try await pings(1, passage, context) { throw failure }

    let source = sender.addresses.first { $0.family == target.family }?.address ?? target
    let unicast = "(icmp or icmp6) and host \(source) and host \(target)"
    let witness = try broadcast(out: sender, in: network, context)
    var capture = PacketCapture(
      device: device, filter: "arp or (\(unicast))", location: location, witness: witness)
    capture.passage = passage
    capture.isWitnessTraffic = true
    return try await capture.run(in: context) {
      try await pings(3, passage, context)
    } judge: { lines in
      let flooded = lines.filter { !PrintedFrame($0).isARP }
      guard flooded.isEmpty else {
        throw Failure(
          expected: "none of the unicast \(source) → \(target) at \(device.text)",
          seen: "\(flooded.count) packet\(flooded.count == 1 ? "" : "s") of it", details: flooded.shown)
      }
      return "\(observer) saw a broadcast of \(from), and none of 6 unicast packets"
    }
  }

  private func pings(
    _ count: Int, _ passage: Passage, _ context: CheckContext
  ) async throws -> Failure? {
    let target = passage.target
    let summary = try await PingRequest(target: target, count: count).send(from: from, in: context)
    guard summary.received < count else { return nil }
    return Failure(
      expected: "the traffic to pass: \(count) of \(count) replies from \(target) to \(from)",
      seen: summary.text(of: count), details: summary.lines, passage: passage)
  }

  /// An ARP request of the sender for an address that nobody has.
  private func broadcast(
    out port: ResolvedPort, in network: ResolvedNetwork, _ context: CheckContext
  ) throws -> () throws -> @Sendable (String) -> Bool {
    let namespace = try context.open(from)
    let absent = Self.absentAddress(in: network, context.lab)
    let own = port.addresses.first { $0.family == .ipv4 }?.address ?? IPAddress(family: .ipv4, value: 0)
    let frame = Frame.arpRequest(from: port.mac, sender: own, target: absent)
    let device = port.device
    return {
      try frame.send(from: namespace, link: namespace.connection.link(named: device).index)
      return { $0.contains("who-has \(absent) ") }
    }
  }

  /// The last free address of the network's IPv4 subnet; of one for documentation when it has none.
  private static func absentAddress(in network: ResolvedNetwork, _ lab: ResolvedLab) -> IPAddress {
    let reserve = IPPrefix("192.0.2.0/24")!
    let subnet = network.subnets.first { $0.family == .ipv4 && $0.length <= 30 } ?? reserve
    let used = Set(lab.vms.flatMap(\.allPorts).flatMap(\.addresses).map(\.address))
    var address = subnet.broadcast!
    repeat {
      address = IPAddress(family: .ipv4, value: address.value - 1)
    } while used.contains(address)
    return address
  }
}
