/// The flags of a link (IFF_…), as between the angle brackets of `ip link`.
public struct LinkFlags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// IFF_UP: switched on by the administrator.
  public static let up = LinkFlags(rawValue: 0x1)
  /// IFF_BROADCAST.
  public static let broadcast = LinkFlags(rawValue: 0x2)
  /// IFF_LOOPBACK.
  public static let loopback = LinkFlags(rawValue: 0x8)
  /// IFF_POINTOPOINT.
  public static let pointToPoint = LinkFlags(rawValue: 0x10)
  /// IFF_RUNNING: operational.
  public static let running = LinkFlags(rawValue: 0x40)
  /// IFF_NOARP.
  public static let noARP = LinkFlags(rawValue: 0x80)
  /// IFF_PROMISC, as the administrator set it (``Link/promiscuity`` counts all reasons).
  public static let promiscuous = LinkFlags(rawValue: 0x100)
  /// IFF_ALLMULTI.
  public static let allMulticast = LinkFlags(rawValue: 0x200)
  /// IFF_MULTICAST.
  public static let multicast = LinkFlags(rawValue: 0x1000)
  /// IFF_LOWER_UP: there is a carrier.
  public static let lowerUp = LinkFlags(rawValue: 0x10000)
}
