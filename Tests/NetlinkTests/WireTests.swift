import Testing
import Values

@testable import Netlink

/// Bytes as one writes them: hex, with comments after `#`.
private func hex(_ text: String) -> [UInt8] {
  text.split(separator: "\n").flatMap { line in
    line.prefix { $0 != "#" }.split(separator: " ").map { UInt8($0, radix: 16)! }
  }
}

private func bytes(_ build: (inout Batch) -> Void) -> [UInt8] {
  var batch = Batch()
  build(&batch)
  return batch.buffer.bytes
}

@Suite struct WireTests {
  @Test func vethInOneMessage() {
    let peer = NewLink.Peer(name: "eth0", namespace: 5, index: 2)
    let link = NewLink(.veth(peer: peer), name: "tap0", index: 11, mtu: 1450, master: 10, isUp: true)
    #expect(
      bytes { $0.createLink(link) }
        == hex(
          """
          78 00 00 00  10 00  01 06  00 00 00 00  00 00 00 00  # nlmsghdr: RTM_NEWLINK, REQUEST|EXCL|CREATE
          00 00 00 00  0b 00 00 00  01 00 00 00  01 00 00 00   # ifinfomsg: index 11, flags and change: UP
          09 00 03 00  74 61 70 30  00 00 00 00                # IFLA_IFNAME tap0
          08 00 04 00  aa 05 00 00                             # IFLA_MTU 1450
          08 00 0a 00  0a 00 00 00                             # IFLA_MASTER 10
          3c 00 12 00                                          # IFLA_LINKINFO
          09 00 01 00  76 65 74 68  00 00 00 00                #   IFLA_INFO_KIND veth
          2c 00 02 00                                          #   IFLA_INFO_DATA
          28 00 01 00                                          #     VETH_INFO_PEER
          00 00 00 00  02 00 00 00  00 00 00 00  00 00 00 00   #       ifinfomsg: index 2
          09 00 03 00  65 74 68 30  00 00 00 00                #       IFLA_IFNAME eth0
          08 00 1c 00  05 00 00 00                             #       IFLA_NET_NS_FD 5
          """))
  }

  @Test func onlyTheFlagsMeantAreChanged() {
    #expect(
      bytes { $0.setLink(7, LinkChange(isUp: false, isPromiscuous: true)) }
        == hex(
          """
          20 00 00 00  10 00  01 00  00 00 00 00  00 00 00 00  # nlmsghdr: RTM_NEWLINK, REQUEST
          00 00 00 00  07 00 00 00  00 01 00 00  01 01 00 00   # ifinfomsg: PROMISC of PROMISC|UP
          """))
  }

  @Test func bridgeVLANRange() {
    #expect(
      bytes { $0.addBridgeVLAN(BridgeVLAN(5...9, isUntagged: true), toPort: 7, onBridge: true) }
        == hex(
          """
          3c 00 00 00  13 00  01 00  00 00 00 00  00 00 00 00  # nlmsghdr: RTM_SETLINK, REQUEST
          07 00 00 00  07 00 00 00  00 00 00 00  00 00 00 00   # ifinfomsg: AF_BRIDGE
          1c 00 1a 80                                          # IFLA_AF_SPEC, nested
          06 00 00 00  02 00 00 00                             #   IFLA_BRIDGE_FLAGS SELF
          08 00 02 00  0c 00 05 00                             #   IFLA_BRIDGE_VLAN_INFO: begin, untagged, 5
          08 00 02 00  14 00 09 00                             #   IFLA_BRIDGE_VLAN_INFO: end, untagged, 9
          """))
  }

  @Test func address() {
    let address = LinkAddress(
      link: 2, address: "10.0.0.1/24", skipsDuplicateDetection: true)
    #expect(
      bytes { $0.addAddress(address) }
        == hex(
          """
          28 00 00 00  14 00  01 06  00 00 00 00  00 00 00 00  # nlmsghdr: RTM_NEWADDR, REQUEST|EXCL|CREATE
          02 18 02 00  02 00 00 00                             # ifaddrmsg: AF_INET, /24, NODAD, index 2
          08 00 02 00  0a 00 00 01                             # IFA_LOCAL
          08 00 01 00  0a 00 00 01                             # IFA_ADDRESS
          """))
  }

  /// What is encoded is what is decoded, where both are the same message.
  @Test func roundTrips() {
    func payload(_ build: (inout Batch) -> Void) -> [UInt8] { Array(bytes(build).dropFirst(16)) }
    var route = Route(
      to: "10.0.0.0/8", via: "10.1.1.1", link: 3, table: 1000, priority: 7,
      isOnLink: true,
      scope: .link, source: .boot, preferredAddress: "10.2.2.2", mtu: 1300)
    #expect(withBytes(of: payload { $0.addRoute(route) }) { Route(decoding: $0) } == route)
    route.destination = "fdfd::/64"
    #expect(withBytes(of: payload { $0.addRoute(route) }) { Route(decoding: $0) } == route)
    let neighbour = Neighbour(
      link: 3, address: "1.2.3.4", linkLayerAddress: "02:00:00:00:00:01", flags: .router)
    #expect(withBytes(of: payload { $0.addNeighbour(neighbour) }) { Neighbour(decoding: $0) } == neighbour)
    let entry = ForwardingEntry(link: 3, address: "02:00:00:00:00:01", vlan: 9, flags: .own)
    #expect(
      withBytes(of: payload { $0.addForwardingEntry(entry) }) { ForwardingEntry(decoding: $0) } == entry)
    let vxlan = VXLAN(
      id: 5, local: "fdfd::1", remote: "10.0.0.1", link: 4,
      destinationPort: 4789,
      learning: false, ttl: 3)
    let link = NewLink(
      .vxlan(vxlan), name: "v", index: 8, address: "02:00:00:00:00:01", mtu: 1400, isUp: true)
    let read = withBytes(of: payload { $0.createLink(link) }) { Link(decoding: $0) }
    #expect(read?.kind == .vxlan(vxlan) && read?.name == "v" && read?.index == 8 && read?.mtu == 1400)
    #expect(read?.flags == .up && read?.address == "02:00:00:00:00:01")
  }

  @Test func anErrorIsMatchedToItsAttribute() throws {
    let request = bytes {
      $0.createLink(NewLink(.bridge(BridgeOptions(stpState: true, forwardDelay: 1)), name: "br0"))
    }
    // 16 header, 16 ifinfomsg, 8 name, 4 LINKINFO, 12 kind, 4 DATA, 8 STP_STATE
    let description = RequestDescription(request)
    #expect(description.attributeName(at: 32) == "IFLA_IFNAME")
    #expect(description.attributeName(at: 40) == "IFLA_LINKINFO")
    #expect(description.attributeName(at: 60) == "IFLA_BR_STP_STATE")
    #expect(description.attributeName(at: 68) == "IFLA_BR_FORWARD_DELAY")
    #expect(description.attributeName(at: 72) == "IFLA_BR_FORWARD_DELAY")
    #expect(description.attributeName(at: 0) == nil && description.attributeName(at: 1 << 40) == nil)
  }

  @Test func extendedAcknowledgement() throws {
    let message = hex(
      """
      34 00 00 00  02 00  00 03  01 00 00 00  00 00 00 00  # nlmsghdr: NLMSG_ERROR, CAPPED|ACK_TLVS
      ea ff ff ff                                          # nlmsgerr: -EINVAL
      28 00 00 00  10 00  05 06  01 00 00 00  00 00 00 00  #   the request's header
      08 00 01 00  6e 6f 21 00                             # NLMSGERR_ATTR_MSG no!
      08 00 02 00  20 00 00 00                             # NLMSGERR_ATTR_OFFS 32
      """)
    var read: Acknowledgement?
    #expect(withBytes(of: message) { forEachMessage(in: $0) { read = Acknowledgement($0, $1) } })
    let acknowledgement = try #require(read)
    #expect(
      acknowledgement.code == 22 && acknowledgement.message == "no!" && acknowledgement.attributeOffset == 32)
  }
}
