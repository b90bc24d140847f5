public import Values

/// A link as the kernel describes it (`ip -d link show`).
public struct Link: Hashable, Sendable {
  /// What the link is, with what is known of that kind.
  public enum Kind: Hashable, Sendable {
    case veth
    case bridge(BridgeOptions)
    case vlan(VLAN)
    case vxlan(VXLAN)
    case dummy
    case tun(Tun)
    /// Another kind, such as `macvlan`.
    case other(String)

    /// The kernel's name for it, as in `ip link add … type NAME`.
    public var name: String {
      switch self {
      case .veth: "veth"
      case .bridge: "bridge"
      case .vlan: "vlan"
      case .vxlan: "vxlan"
      case .dummy: "dummy"
      case .tun: "tun"
      case .other(let name): name
      }
    }
  }

  /// Whether frames can pass, and why not (RFC 2863).
  public enum OperationalState: UInt8, Hashable, Sendable {
    case unknown, notPresent, down, lowerLayerDown, testing, dormant, up
  }

  /// The ifindex.
  public var index: Int32
  public var name = ""
  public var flags: LinkFlags
  public var mtu: UInt32 = 0
  /// The Ethernet address; nil if it has none.
  public var address: MACAddress?
  /// nil: a physical device, or `lo`.
  public var kind: Kind?
  /// The ifindex of the bridge it is a port of.
  public var master: Int32?
  public var group: UInt32 = 0
  public var alias: String?
  public var alternativeNames: [String] = []
  /// The ifindex of the link it belongs to: a veth's other end, a VLAN's parent; in the namespace that
  /// ``parentNamespaceID`` names, or in the same if that is nil.
  public var parent: Int32?
  /// The id of the parent's namespace, as ``Connection/namespaceID(of:)`` gives it; -1 if it has none.
  public var parentNamespaceID: Int32?
  public var operationalState: OperationalState?
  public var hasCarrier: Bool?
  /// How many reasons there are for it to be promiscuous.
  public var promiscuity: UInt32 = 0
  public var transmitQueueLength: UInt32 = 0
  /// The options it has as a port of a bridge.
  public var bridgePort: BridgePortOptions?
  public var ipv4: IPv4Settings?
  public var ipv6: IPv6Settings?
  /// Counters, if they were asked for.
  public var statistics: LinkStatistics?

  /// Whether the administrator has switched it on.
  public var isUp: Bool { flags.contains(.up) }
}
