internal import CNetlink

/// A queueing discipline of a link (`tc qdisc`).
public struct Qdisc: Hashable, Sendable {
  /// The ifindex of the link.
  public var link: Int32
  /// Such as `noqueue`, `netem`, `clsact`.
  public var kind: String
  /// 0 for one that the kernel made by itself.
  public var handle: UInt32
  /// The handle of what it hangs under; `0xffffffff` is the link itself, `0xfffffff1` its entrance.
  public var parent: UInt32

  /// Reads `tcmsg` and its attributes.
  init?(decoding message: RawSpan) {
    guard let link = message.integer(at: 4, as: Int32.self),
      let handle = message.integer(at: 8, as: UInt32.self),
      let parent = message.integer(at: 12, as: UInt32.self)
    else { return nil }
    self.link = link
    self.handle = handle
    self.parent = parent
    kind = ""
    message.forEachAttribute(from: 20) { type, value in
      if type == TCA_KIND { kind = value.string }
    }
  }
}

extension Connection {
  /// The queueing disciplines of all links (`tc qdisc show`).
  public func qdiscs() throws(NetlinkError) -> [Qdisc] {
    try dump(RTM_GETQDISC, reply: RTM_NEWQDISC) { buffer in
      buffer.field(UInt32(0))  // family and padding
      buffer.field(UInt64(0))  // any link, any handle
      buffer.field(UInt64(0))
    } decode: {
      Qdisc(decoding: $0)
    }
  }
}
