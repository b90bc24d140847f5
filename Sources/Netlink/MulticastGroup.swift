internal import CNetlink
internal import Glibc
public import Values

/// An IPv6 multicast group that a link listens to.
public struct MulticastGroup: Hashable, Sendable {
  /// The ifindex of the link.
  public var link: Int32
  public var address: IPAddress

  public init(link: Int32, address: IPAddress) {
    self.link = link
    self.address = address
  }

  /// The group in which the link is asked for the neighbour with an IPv6 address: ff02::1:ff and its last three bytes.
  public init(soliciting address: IPAddress, onLink link: Int32) {
    let groups: UInt128 = 0xff02_0000_0000_0000_0000_0001_ff00_0000
    self.init(link: link, address: IPAddress(family: .ipv6, value: groups | address.value & 0xff_ffff))
  }

  /// Reads `ifaddrmsg` and its attributes.
  init?(decoding message: RawSpan) {
    guard let link = message.integer(at: 4, as: Int32.self) else { return nil }
    var address: IPAddress?
    message.forEachAttribute(from: 8) { type, value in
      if type == IFA_MULTICAST { address = value.ipAddress }
    }
    guard let address else { return nil }
    self.init(link: link, address: address)
  }
}

extension Connection {
  /// The IPv6 multicast groups that all links listen to (`ip -6 maddress show`).
  public func multicastGroups() throws(NetlinkError) -> [MulticastGroup] {
    try dump(RTM_GETMULTICAST, reply: RTM_GETMULTICAST) { buffer in
      buffer.field(UInt32(AF_INET6))
      buffer.field(Int32(0))
    } decode: {
      MulticastGroup(decoding: $0)
    }
  }
}
