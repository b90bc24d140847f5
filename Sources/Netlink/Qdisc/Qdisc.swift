internal import CNetlink

/// A queueing discipline of a link (`tc qdisc`).
public struct Qdisc: Hashable, Sendable {
  /// What it does with packets, with what is known of that kind.
  public enum Kind: Hashable, Sendable {
    /// Delays and damages.
    case netem(Netem)
    /// Holds back what is faster than a rate.
    case tbf(TokenBucket)
    /// Another kind, such as `noqueue` or `clsact`.
    case other(String)

    /// The kernel's name for it, as in `tc qdisc add … NAME`.
    public var name: String {
      switch self {
      case .netem: "netem"
      case .tbf: "tbf"
      case .other(let name): name
      }
    }
  }

  /// The link itself, as what a discipline hangs under (`root`).
  public static let root: UInt32 = 0xffff_ffff
  /// The link's entrance (`ingress`, `clsact`).
  public static let entrance: UInt32 = 0xffff_fff1

  /// The ifindex of the link.
  public var link: Int32
  public var kind: Kind
  /// Its number (`handle 8001:` is 0x80010000); 0 lets the kernel choose, and is read back for one that the kernel made
  /// by itself.
  public var handle: UInt32
  /// The handle of what it hangs under, or ``root`` or ``entrance``.
  public var parent: UInt32

  public init(link: Int32, kind: Kind, handle: UInt32 = 0, parent: UInt32 = root) {
    self.link = link
    self.kind = kind
    self.handle = handle
    self.parent = parent
  }

  /// Reads `tcmsg` and its attributes.
  init?(decoding message: RawSpan) {
    guard let link = message.integer(at: 4, as: Int32.self),
      let handle = message.integer(at: 8, as: UInt32.self),
      let parent = message.integer(at: 12, as: UInt32.self)
    else { return nil }
    self.init(link: link, kind: .other(""), handle: handle, parent: parent)
    message.forEachAttribute(from: 20) { type, value in
      switch type {
      // The kernel puts the kind before the options.
      case TCA_KIND: kind = Kind(named: value.string)
      case TCA_OPTIONS: kind.decode(value)
      default: break
      }
    }
  }

  func encodeHeader(to buffer: inout MessageBuffer) {
    buffer.field(UInt32(0))  // family and padding
    buffer.field(link)
    buffer.field(handle)
    buffer.field(parent)
    buffer.field(UInt32(0))
  }

  func encode(to buffer: inout MessageBuffer) {
    encodeHeader(to: &buffer)
    buffer.attribute(TCA_KIND, kind.name)
    switch kind {
    case .netem(let options): buffer.nest(TCA_OPTIONS) { options.encode(to: &$0) }
    case .tbf(let options): buffer.nest(TCA_OPTIONS) { options.encode(to: &$0) }
    case .other: break
    }
  }
}

extension Qdisc.Kind {
  fileprivate init(named name: String) {
    switch name {
    case "netem": self = .netem(Netem())
    case "tbf": self = .tbf(TokenBucket())
    default: self = .other(name)
    }
  }

  fileprivate mutating func decode(_ options: RawSpan) {
    switch self {
    case .netem: self = .netem(Netem(decoding: options))
    case .tbf: self = .tbf(TokenBucket(decoding: options))
    case .other: break
    }
  }
}

extension Batch {
  /// Adds a queueing discipline; EEXIST if there is one in its place that somebody added (`tc qdisc add …`).
  public mutating func addQdisc(_ qdisc: Qdisc) {
    append(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_EXCL) { qdisc.encode(to: &$0) }
  }

  /// Puts a queueing discipline in the place of whatever is there (`tc qdisc replace …`).
  public mutating func replaceQdisc(_ qdisc: Qdisc) {
    append(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_REPLACE) { qdisc.encode(to: &$0) }
  }

  /// Changes the options of a queueing discipline of the same kind, without losing the packets in it; ENOENT or EINVAL if
  /// there is none (`tc qdisc change …`).
  public mutating func changeQdisc(_ qdisc: Qdisc) {
    append(RTM_NEWQDISC) { qdisc.encode(to: &$0) }
  }

  /// Deletes the queueing discipline in a place; ENOENT if there is none (`tc qdisc delete …`).
  ///
  /// - Parameter handle: which it has to be; 0: any.
  public mutating func deleteQdisc(ofLink link: Int32, parent: UInt32 = Qdisc.root, handle: UInt32 = 0) {
    append(RTM_DELQDISC) {
      Qdisc(link: link, kind: .other(""), handle: handle, parent: parent).encodeHeader(to: &$0)
    }
  }
}

extension Connection {
  /// The queueing disciplines of all links (`tc qdisc show`).
  public func qdiscs() throws(NetlinkError) -> [Qdisc] {
    try dump(RTM_GETQDISC, reply: RTM_NEWQDISC) { buffer in
      Qdisc(link: 0, kind: .other(""), parent: 0).encodeHeader(to: &buffer)
    } decode: {
      Qdisc(decoding: $0)
    }
  }
}
