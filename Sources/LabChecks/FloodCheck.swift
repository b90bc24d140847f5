import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

extension CheckRunner {
  func perform(_ check: NotFlooded) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    guard let owner = lab.port(owning: target) else {
      throw Failure(expected: "\(target) to be a VM's address", seen: "no VM of the lab has it")
    }
    let network = lab.networks[owner.port.network]
    let sender = try port(of: check.from, on: network.name)
    let observer = try device(port(of: check.observer, on: network.name).device, of: check.observer)
    // The first frames are flooded by right: no bridge knows yet where anybody is.
    let passage = passage(check.from, check.to, target)
    if let failure = try await pings(1, passage) { throw failure }

    let source = sender.addresses.first { $0.family == target.family }?.address ?? target
    let unicast = "(icmp or icmp6) and host \(source) and host \(target)"
    let witness = try broadcast(from: check.from, out: sender, in: network)
    var capture = PacketCapture(
      device: observer, filter: "arp or (\(unicast))", location: check.location, witness: witness)
    capture.passage = passage
    return try await self.capture(capture) {
      try await pings(3, passage)
    } judge: { lines in
      let flooded = lines.filter { !$0.contains("ethertype ARP") }
      guard flooded.isEmpty else {
        throw Failure(
          expected: "none of the unicast \(source) → \(target) at \(observer.text)",
          seen: "\(flooded.count) packet\(flooded.count == 1 ? "" : "s") of it", details: flooded.shown)
      }
      return "\(check.observer) saw a broadcast of \(check.from), and none of 6 unicast packets"
    }
  }

  private func pings(_ count: Int, _ passage: Passage) async throws -> Failure? {
    let (sender, target) = (passage.sender, passage.target)
    let summary = try await ping(PingOptions(target: target, count: count), from: sender)
    guard summary.received < count else { return nil }
    return Failure(
      expected: "the traffic to pass: \(count) of \(count) replies from \(target) to \(sender)",
      seen: summary.text(of: count), details: summary.lines, passage: passage)
  }

  /// An ARP request of the sender for an address that nobody has.
  private func broadcast(
    from node: String, out port: ResolvedPort, in network: ResolvedNetwork
  ) throws -> () throws -> @Sendable (String) -> Bool {
    let namespace = try open(node)
    let absent = absentAddress(in: network)
    let own = port.addresses.first { $0.family == .ipv4 }?.address ?? IPAddress(family: .ipv4, value: 0)
    let frame = Frame.arpRequest(from: port.mac, sender: own, target: absent)
    let device = port.device
    return {
      try frame.send(from: namespace, link: namespace.connection.link(named: device).index)
      return { $0.contains("who-has \(absent) ") }
    }
  }

  /// The last free address of the network's IPv4 subnet; of one for documentation when it has none.
  private func absentAddress(in network: ResolvedNetwork) -> IPAddress {
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
