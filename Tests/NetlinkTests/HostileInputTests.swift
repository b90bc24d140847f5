import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

/// Decoding is safe, and ends, on any bytes.
@Suite struct HostileInputTests {
  /// Requests that look like the kernel's replies, with all kinds of attributes nested in each other.
  private var samples: [[UInt8]] {
    var batch = Batch()
    let peer = NewLink.Peer(name: "eth0", namespace: 5, index: 2, address: "02:00:00:00:00:01")
    batch.createLink(NewLink(.veth(peer: peer), name: "tap0", index: 11, mtu: 1450, master: 10, isUp: true))
    batch.createLink(
      NewLink(.bridge(BridgeOptions(vlanFiltering: true, stpState: true, groupForwardMask: 8)), name: "br0"))
    batch.createLink(NewLink(.vlan(VLAN(id: 5), parent: 3), name: "vlan5"))
    batch.createLink(NewLink(.vxlan(VXLAN(id: 5, local: "1.2.3.4", learning: true)), name: "vx"))
    batch.setLink(3, LinkChange(alias: "x", bridge: BridgeOptions(stpState: true)))
    batch.setBridgePort(3, BridgePortOptions(state: .blocking, flags: [.hairpin: true]))
    batch.addAlternativeName("another-name", toLink: 3)
    batch.addAddress(LinkAddress(link: 3, address: "10.0.0.1/8"))
    batch.addRoute(Route(to: "10.0.0.0/8", via: "1.1.1.1", mtu: 1300))
    batch.addNeighbour(Neighbour(link: 3, address: "10.0.0.2", linkLayerAddress: "02:00:00:00:00:01"))
    batch.addForwardingEntry(ForwardingEntry(link: 3, address: "02:00:00:00:00:01", vlan: 5))
    batch.addBridgeVLAN(BridgeVLAN(5...20), toPort: 3)
    batch.addQdisc(Qdisc(link: 3, kind: .netem(Netem(delay: 5, rate: 40_000_000_000))))
    batch.addQdisc(Qdisc(link: 3, kind: .tbf(TokenBucket(rate: 8000, burst: 2000, limit: 3000))))
    return (0..<batch.count).map { Array(batch.buffer.bytes[batch.range(of: $0)]) }
  }

  @Test func everyTruncation() {
    for sample in samples {
      for length in 0...sample.count {
        var bytes = Array(sample.prefix(length))
        decodeAll(bytes)
        decodeAll(Array(bytes.dropFirst(16)))
        // and with a header that says that this is all there is
        if length >= 16 {
          (bytes[0], bytes[1]) = (UInt8(length & 0xff), UInt8(length >> 8))
          decodeAll(bytes)
        }
      }
    }
  }

  @Test(.needs(.namespaces)) func everyTruncationOfWhatTheKernelSends() throws {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10, isUp: true))
      $0.createLink(NewLink(.veth(peer: .init(name: "b")), name: "a", index: 20, master: 10, isUp: true))
      $0.addAlternativeName("another-name", toLink: 20)
      $0.addAddress(LinkAddress(link: 10, address: "10.0.0.1/8"))
      $0.addRoute(Route(to: "11.0.0.0/8", via: "10.0.0.2", mtu: 1300))
      $0.addNeighbour(Neighbour(link: 10, address: "10.0.0.2", linkLayerAddress: "02:00:00:00:00:01"))
    }
    // RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE, RTM_GETQDISC
    let lists = try [18, 22, 26, 30, 34, 38].map { try replies(to: $0, on: host.connection.socket) }
    #expect(lists.allSatisfy { $0.count > 1 })
    for message in lists.joined() {
      let payload = message.dropFirst(16)
      for length in 0...payload.count { decodeAll(Array(payload.prefix(length))) }
    }
  }

  /// The messages that answer a request for a list, as they come.
  private func replies(to type: Int, on socket: borrowing Socket) throws -> [[UInt8]] {
    var request = MessageBuffer()
    request.message(type, flags: 0x300) { buffer in  // NLM_F_DUMP
      for _ in 0..<(type == 18 ? 4 : type == 22 ? 2 : type == 38 ? 5 : 3) { buffer.field(UInt32(0)) }
    }
    try socket.send(request.bytes[...])
    var replies: [[UInt8]] = []
    var isComplete = false
    while !isComplete {
      var isWhole = true
      try socket.receive { span in
        let datagram = span.array
        var offset = 0
        isWhole =
          forEachMessage(in: span) { header, _ in
            replies.append(Array(datagram[offset..<offset + header.length]))
            offset += (header.length + 3) & ~3
            if header.type < 16 { isComplete = true }  // NLMSG_DONE, NLMSG_ERROR
          } && isWhole
      }
      #expect(isWhole)
    }
    return replies
  }

  @Test func everyLengthFieldWrong() {
    for sample in samples {
      for offset in stride(from: 0, to: sample.count - 1, by: 2) {
        for length: UInt16 in [0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xffff] {
          var bytes = sample
          (bytes[offset], bytes[offset + 1]) = (UInt8(length & 0xff), UInt8(length >> 8))
          decodeAll(bytes)
        }
      }
    }
  }

  @Test func zeroLengthAttributesEnd() {
    decodeAll([UInt8](repeating: 0, count: 1 << 16))
    var count = 0
    withBytes(of: [UInt8](repeating: 0, count: 64)) { $0.forEachAttribute { _, _ in count += 1 } }
    #expect(count == 0)
  }

  @Test func attributesThatGoTooFarAreNotThere() {
    var seen: [Int] = []
    let bytes: [UInt8] = [4, 0, 1, 0, 5, 0, 2, 0, 9, 0, 0, 0, 9, 0, 3, 0, 1]
    withBytes(of: bytes) { $0.forEachAttribute { type, _ in seen.append(type) } }
    #expect(seen == [1, 2])
  }

  /// What is no address, or has fewer bits than its prefix, is no message of its kind.
  @Test func addressesOfAnotherLength() {
    func payload(_ build: (inout Batch) -> Void) -> [UInt8] {
      var batch = Batch()
      build(&batch)
      return Array(batch.buffer.bytes.dropFirst(16))
    }
    var address = payload { $0.addAddress(LinkAddress(link: 3, address: "10.0.0.1/8")) }
    #expect(withBytes(of: address) { LinkAddress(decoding: $0) } != nil)
    address[1] = 33
    #expect(withBytes(of: address) { LinkAddress(decoding: $0) } == nil)
    var route = payload { $0.addRoute(Route(to: "10.0.0.0/8")) }
    #expect(withBytes(of: route) { Route(decoding: $0) } != nil)
    route[12] = 7  // RTA_DST of 3 bytes
    #expect(withBytes(of: route) { Route(decoding: $0) } == nil)
    var neighbour = payload { $0.addNeighbour(Neighbour(link: 3, address: "10.0.0.2")) }
    #expect(withBytes(of: neighbour) { Neighbour(decoding: $0) } != nil)
    neighbour[12] = 4  // NDA_DST of no bytes
    #expect(withBytes(of: neighbour) { Neighbour(decoding: $0) } == nil)
    var entry = payload { $0.addForwardingEntry(ForwardingEntry(link: 3, address: "02:00:00:00:00:01")) }
    #expect(withBytes(of: entry) { ForwardingEntry(decoding: $0) } != nil)
    entry[12] = 8  // NDA_LLADDR of 4 bytes
    #expect(withBytes(of: entry) { ForwardingEntry(decoding: $0) } == nil)
    let rule: [UInt8] = [2, 0, 24, 0, 254, 0, 0, 1, 0, 0, 0, 0, 8, 0, 2, 0, 10, 0, 0, 0]
    #expect(withBytes(of: rule) { Rule(decoding: $0) }?.source == "10.0.0.0/24")
    #expect(withBytes(of: rule.dropLast(8) + [4, 0, 2, 0]) { Rule(decoding: $0) } == nil)
  }

  @Test func nestingWithoutEnd() {
    // 16 KB of attributes that each hold all the rest, as each type that is looked into.
    for type in [18, 2, 5, 26, 52, 8, 9] {
      var bytes = [UInt8](repeating: 0, count: 16)
      for depth in 0..<4000 {
        let length = 16016 - 16 - depth * 4
        bytes += [UInt8(length & 0xff), UInt8(length >> 8), UInt8(type), 0]
      }
      decodeAll(bytes)
    }
  }

  @Test(arguments: 0..<4) func randomBytes(seed: UInt64) {
    var random = SplitMix(state: seed)
    let samples = samples
    for _ in 0..<30_000 {
      var bytes = samples[Int(random.next() % UInt64(samples.count))]
      for _ in 0...random.next() % 8 {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      decodeAll(Array(bytes.prefix(Int(random.next() % 256))))
    }
  }
}

/// A generator that gives the same numbers for the same seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
