internal import CNetlink
internal import Glibc

/// An IPv6 multicast group that a link listens to.
public struct MulticastGroup: Hashable, Sendable {
  /// The ifindex of the link.
  public var link: Int32
  /// 16 bytes.
  public var address: [UInt8]

  public init(link: Int32, address: [UInt8]) {
    self.link = link
    self.address = address
  }

  /// The group in which the link is asked for the neighbour with an IPv6 address: ff02::1:ff and its last three bytes.
  public init(soliciting address: [UInt8], onLink link: Int32) {
    let prefix: [UInt8] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff]
    self.init(link: link, address: prefix + address.suffix(3))
  }

  /// Reads `ifaddrmsg` and its attributes.
  init?(decoding message: RawSpan) {
    guard let link = message.integer(at: 4, as: Int32.self) else { return nil }
    self.init(link: link, address: [])
    message.forEachAttribute(from: 8) { type, value in
      if type == IFA_MULTICAST { address = value.array }
    }
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
