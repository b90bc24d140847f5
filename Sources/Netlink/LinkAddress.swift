internal import CNetlink
internal import Glibc
public import Values

/// An IP address of a link.
public struct LinkAddress: Hashable, Sendable {
  /// The ifindex of the link.
  public var link: Int32
  public var address: IPPrefix
  /// The broadcast address (IPv4); none if nil.
  public var broadcast: IPAddress?
  /// Where it is valid: 0 everywhere, 253 on the link, 254 on the host (RT_SCOPE_…).
  public var scope: UInt8
  /// Whether it is used at once, without a look whether another host has it (IPv6, `nodad`).
  public var skipsDuplicateDetection: Bool
  /// IFA_F_… as read back, such as IFA_F_TENTATIVE (0x40); not used in adding.
  public var flags: UInt32

  public init(
    link: Int32, address: IPPrefix, broadcast: IPAddress? = nil, scope: UInt8 = 0,
    skipsDuplicateDetection: Bool = false
  ) {
    self.link = link
    self.address = address
    self.broadcast = broadcast
    self.scope = scope
    self.skipsDuplicateDetection = skipsDuplicateDetection
    self.flags = 0
  }

  /// Whether duplicate address detection has not ended yet.
  public var isTentative: Bool { flags & UInt32(IFA_F_TENTATIVE) != 0 }

  /// Whether another host was found to have the address.
  public var isDuplicate: Bool { flags & UInt32(IFA_F_DADFAILED) != 0 }

  /// Reads `ifaddrmsg` and its attributes.
  init?(decoding message: RawSpan) {
    guard let prefixLength = message.integer(at: 1, as: UInt8.self),
      let flags = message.integer(at: 2, as: UInt8.self), let scope = message.integer(at: 3, as: UInt8.self),
      let link = message.integer(at: 4, as: Int32.self)
    else { return nil }
    var address: IPAddress?
    var local: IPAddress?
    var broadcast: IPAddress?
    var allFlags = UInt32(flags)
    message.forEachAttribute(from: 8) { type, value in
      switch type {
      case IFA_ADDRESS: address = value.ipAddress
      case IFA_LOCAL: local = value.ipAddress
      case IFA_BROADCAST: broadcast = value.ipAddress
      case IFA_FLAGS: allFlags = value.integer() ?? allFlags
      default: break
      }
    }
    // With a peer, IFA_ADDRESS is the peer's.
    guard let prefix = IPPrefix(local ?? address, length: prefixLength) else { return nil }
    self.init(
      link: link, address: prefix, broadcast: broadcast, scope: scope,
      skipsDuplicateDetection: allFlags & UInt32(IFA_F_NODAD) != 0)
    self.flags = allFlags
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.field(address.family.number)
    buffer.field(UInt8(address.length))
    buffer.field(UInt8(skipsDuplicateDetection ? IFA_F_NODAD : 0))
    buffer.field(scope)
    buffer.field(link)
    buffer.attribute(IFA_LOCAL, address.address)
    buffer.attribute(IFA_ADDRESS, address.address)
    buffer.attribute(IFA_BROADCAST, broadcast)
  }
}

extension Batch {
  /// Gives a link an address; EEXIST if it has it (`ip address add …`).
  public mutating func addAddress(_ address: LinkAddress) {
    append(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL) { address.encode(to: &$0) }
  }

  /// Takes an address from a link; EADDRNOTAVAIL if it has none such (`ip address delete …`).
  public mutating func deleteAddress(_ address: LinkAddress) {
    append(RTM_DELADDR) { address.encode(to: &$0) }
  }
}

extension Connection {
  /// The addresses of all links, or of one (`ip address show …`).
  public func addresses(ofLink index: Int32? = nil) throws(NetlinkError) -> [LinkAddress] {
    try dump(RTM_GETADDR, reply: RTM_NEWADDR) { buffer in
      buffer.field(UInt32(0))  // family, prefix length, flags, scope: any
      buffer.field(index ?? 0)
    } decode: {
      LinkAddress(decoding: $0)
    }
  }
}
