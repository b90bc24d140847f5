internal import CNetlink
internal import Glibc
public import Values

/// A route (`ip route`).
public struct Route: Hashable, Sendable {
  /// What becomes of packets (RTN_…).
  public struct Kind: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let unicast = Kind(rawValue: 1)
    public static let local = Kind(rawValue: 2)
    public static let broadcast = Kind(rawValue: 3)
    public static let anycast = Kind(rawValue: 4)
    public static let multicast = Kind(rawValue: 5)
    public static let blackhole = Kind(rawValue: 6)
    public static let unreachable = Kind(rawValue: 7)
    public static let prohibit = Kind(rawValue: 8)
    public static let `throw` = Kind(rawValue: 9)
  }

  /// Who made a route (RTPROT_…).
  public struct Source: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let unspecified = Source(rawValue: 0)
    public static let redirect = Source(rawValue: 1)
    /// The kernel, for an address.
    public static let kernel = Source(rawValue: 2)
    public static let boot = Source(rawValue: 3)
    public static let `static` = Source(rawValue: 4)
    /// IPv6 router advertisements.
    public static let routerAdvertisement = Source(rawValue: 9)
  }

  /// How far away the destination is (RT_SCOPE_…).
  public struct Scope: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Behind a gateway.
    public static let universe = Scope(rawValue: 0)
    public static let link = Scope(rawValue: 253)
    public static let host = Scope(rawValue: 254)
    public static let nowhere = Scope(rawValue: 255)
  }

  /// One of several ways of a multipath route.
  public struct NextHop: Hashable, Sendable {
    public var gateway: IPAddress?
    public var link: Int32
    /// 1…256.
    public var weight: Int
  }

  /// The table `main`.
  public static let mainTable: UInt32 = 254
  /// The table `local`, of the kernel's own addresses.
  public static let localTable: UInt32 = 255
  /// The table `default`, which is looked into last, and is empty.
  public static let defaultTable: UInt32 = 253

  /// Of length 0 for a default route, whose family is that of this.
  public var destination: IPPrefix
  public var gateway: IPAddress?
  /// The ifindex of the link that packets leave by.
  public var link: Int32?
  public var table: UInt32
  /// The metric; lower is preferred.
  public var priority: UInt32?
  public var kind: Kind
  /// Whether the gateway is taken to be on the link although no route says so.
  public var isOnLink: Bool
  /// nil: on the link if there is no gateway, universe otherwise.
  public var scope: Scope?
  public var source: Source
  /// The address of ours that packets get (`src`).
  public var preferredAddress: IPAddress?
  public var mtu: UInt32?
  /// The ways of a multipath route, as read back; not used in adding.
  public private(set) var nextHops: [NextHop] = []

  public init(
    to destination: IPPrefix, via gateway: IPAddress? = nil, link: Int32? = nil,
    table: UInt32 = mainTable, priority: UInt32? = nil, kind: Kind = .unicast, isOnLink: Bool = false,
    scope: Scope? = nil, source: Source = .static, preferredAddress: IPAddress? = nil, mtu: UInt32? = nil
  ) {
    self.destination = destination
    self.gateway = gateway
    self.link = link
    self.table = table
    self.priority = priority
    self.kind = kind
    self.isOnLink = isOnLink
    self.scope = scope
    self.source = source
    self.preferredAddress = preferredAddress
    self.mtu = mtu
  }

  /// Whether this is an IPv6 route.
  public var isIPv6: Bool { destination.family == .ipv6 }

  /// Reads `rtmsg` and its attributes.
  init?(decoding message: RawSpan) {
    func byte(_ offset: Int) -> UInt8 { message.integer(at: offset) ?? 0 }
    guard message.byteCount >= 12, let flags = message.integer(at: 8, as: UInt32.self) else { return nil }
    guard let family = IPAddress.Family(number: byte(0)) else { return nil }
    let unspecified = IPAddress(family: family, value: 0)
    var address: IPAddress? = unspecified
    self.init(
      to: IPPrefix(address: unspecified, length: 0), table: UInt32(byte(4)),
      kind: Kind(rawValue: byte(7)),
      isOnLink: flags & UInt32(RTNH_F_ONLINK) != 0, scope: Scope(rawValue: byte(6)),
      source: Source(rawValue: byte(5)))
    message.forEachAttribute(from: 12) { type, value in
      switch type {
      case Int(RTA_DST.rawValue): address = value.ipAddress
      case Int(RTA_GATEWAY.rawValue): gateway = value.ipAddress
      case Int(RTA_OIF.rawValue): link = value.integer()
      case Int(RTA_TABLE.rawValue): table = value.integer() ?? table
      case Int(RTA_PRIORITY.rawValue): priority = value.integer()
      case Int(RTA_PREFSRC.rawValue): preferredAddress = value.ipAddress
      case Int(RTA_METRICS.rawValue):
        value.forEachAttribute { type, metric in
          if type == RTAX_MTU { mtu = metric.integer() }
        }
      case Int(RTA_MULTIPATH.rawValue): nextHops = NextHop.all(in: value)
      default: break
      }
    }
    guard let prefix = IPPrefix(address, length: byte(1)) else { return nil }
    destination = prefix
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.field(destination.family.number)
    buffer.field(UInt8(destination.length))
    buffer.field(UInt16(0))  // source prefix length, TOS
    buffer.field(table < 256 ? UInt8(table) : UInt8(RT_TABLE_UNSPEC.rawValue))
    buffer.field(source.rawValue)
    buffer.field((scope ?? impliedScope).rawValue)
    buffer.field(kind.rawValue)
    buffer.field(UInt32(isOnLink ? RTNH_F_ONLINK : 0))
    if destination.length > 0 { buffer.attribute(Int(RTA_DST.rawValue), destination.address) }
    buffer.attribute(Int(RTA_GATEWAY.rawValue), gateway)
    buffer.attribute(Int(RTA_OIF.rawValue), link)
    buffer.attribute(Int(RTA_TABLE.rawValue), table)
    buffer.attribute(Int(RTA_PRIORITY.rawValue), priority)
    buffer.attribute(Int(RTA_PREFSRC.rawValue), preferredAddress)
    if let mtu { buffer.nest(Int(RTA_METRICS.rawValue)) { $0.attribute(RTAX_MTU, mtu) } }
  }

  private var impliedScope: Scope {
    kind == .unicast && gateway == nil && !isIPv6 ? .link : .universe
  }
}

extension Route.NextHop {
  /// Reads RTA_MULTIPATH: a row of `rtnexthop`, each with attributes.
  fileprivate static func all(in hops: RawSpan) -> [Self] {
    var result: [Self] = []
    var offset = 0
    while let length = hops.integer(at: offset, as: UInt16.self).map(Int.init), length >= 8,
      offset + length <= hops.byteCount, let weight = hops.integer(at: offset + 3, as: UInt8.self),
      let link = hops.integer(at: offset + 4, as: Int32.self)
    {
      var hop = Self(link: link, weight: Int(weight) + 1)
      hops.extracting(offset..<offset + length).forEachAttribute(from: 8) { type, value in
        if type == Int(RTA_GATEWAY.rawValue) { hop.gateway = value.ipAddress }
      }
      result.append(hop)
      offset += (length + 3) & ~3
    }
    return result
  }
}

extension Batch {
  /// Adds a route; EEXIST if there is one to this destination with this priority (`ip route add …`).
  public mutating func addRoute(_ route: Route) {
    append(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL) { route.encode(to: &$0) }
  }

  /// Deletes a route; ESRCH if there is none such (`ip route delete …`).
  public mutating func deleteRoute(_ route: Route) {
    append(RTM_DELROUTE) { route.encode(to: &$0) }
  }
}

extension Connection {
  /// The routes of all tables, or of one (`ip route show table …`, and `ip -6 …`). A table that does not exist
  /// has none.
  public func routes(table: UInt32? = nil) throws(NetlinkError) -> [Route] {
    try dump(RTM_GETROUTE, reply: RTM_NEWROUTE) { buffer in
      // Of both families, and of others, which are no routes here. So asked, the kernel takes no offence at a table that
      // one of them does not have.
      buffer.field(UInt8(AF_UNSPEC))
      buffer.field(UInt8(0))
      buffer.field(UInt16(0))
      buffer.field(UInt64(0))
      buffer.attribute(Int(RTA_TABLE.rawValue), table)
    } decode: {
      Route(decoding: $0)
    }
  }
}
