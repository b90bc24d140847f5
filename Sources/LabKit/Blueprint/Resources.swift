/// A network namespace, pinned in `/run/netns` under its name.
public struct Namespace: Hashable, Sendable {
  public var name: String
  public var origin: SourceLocation?

  public init(name: String, origin: SourceLocation? = nil) {
    self.name = name
    self.origin = origin
  }
}

/// A kernel setting of a namespace: `sysctl -w KEY=VALUE` inside it.
public struct Sysctl: Hashable, Sendable {
  public var namespace: String
  /// With dots: `net.ipv6.conf.all.disable_ipv6`.
  public var key: String
  public var value: String
  public var origin: SourceLocation?

  public init(namespace: String, key: String, value: String, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.key = key
    self.value = value
    self.origin = origin
  }
}

/// A VLAN that a bridge port is a member of: `bridge vlan add dev DEVICE vid VID …`.
public struct BridgeVLAN: Hashable, Sendable {
  public var namespace: String
  public var device: String
  public var vid: Int
  /// Untagged frames that come in belong to this VLAN.
  public var isPVID: Bool
  /// Frames of this VLAN go out without a tag.
  public var isUntagged: Bool
  /// Whether the device is the bridge itself, and not one of its ports.
  public var isOnBridge = false
  public var origin: SourceLocation?

  public init(
    namespace: String, device: String, vid: Int, isPVID: Bool, isUntagged: Bool, origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.device = device
    self.vid = vid
    self.isPVID = isPVID
    self.isUntagged = isUntagged
    self.origin = origin
  }

  /// As `bridge vlan show` writes it: `1 PVID Egress Untagged`.
  public var text: String { "\(vid)\(isPVID ? " PVID" : "")\(isUntagged ? " Egress Untagged" : "")" }
}

/// An address of an interface: `ip address add ADDRESS/LENGTH dev DEVICE`.
public struct Address: Hashable, Sendable {
  public var namespace: String
  public var device: String
  public var address: IPPrefix
  public var origin: SourceLocation?

  public init(namespace: String, device: String, address: IPPrefix, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.device = device
    self.address = address
    self.origin = origin
  }
}

/// A route in a namespace's main table: `ip route add DESTINATION via GATEWAY dev DEVICE`.
public struct RouteEntry: Hashable, Sendable {
  public var namespace: String
  public var destination: IPPrefix
  public var gateway: IPAddress?
  /// `nil` for a route that leads nowhere.
  public var device: String?
  /// `unicast`, `blackhole`, `unreachable` or `prohibit`.
  public var type: String
  /// The kernel's default is 0 for IPv4 and 1024 for IPv6.
  public var metric: Int
  public var origin: SourceLocation?

  public init(
    namespace: String, destination: IPPrefix, gateway: IPAddress? = nil, device: String?,
    type: String = "unicast",
    metric: Int? = nil, origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.destination = destination
    self.gateway = gateway
    self.device = device
    self.type = type
    self.metric = metric ?? (destination.family == .ipv4 ? 0 : 1024)
    self.origin = origin
  }
}

extension RouteEntry {
  /// As `ip route` writes it; IPv6's default route as `::/0`, so that it is told from IPv4's.
  var destinationText: String {
    destination.length == 0 && destination.family == .ipv4 ? "default" : "\(destination)"
  }
}

/// Any of the things a blueprint is made of.
public indirect enum Resource: Hashable, Sendable {
  case namespace(Namespace)
  case sysctl(Sysctl)
  case link(Link)
  case vlan(BridgeVLAN)
  case address(Address)
  case route(RouteEntry)
  case entry(TableEntry)

  public var namespace: String {
    switch self {
    case .namespace(let value): value.name
    case .sysctl(let value): value.namespace
    case .link(let value): value.namespace
    case .vlan(let value): value.namespace
    case .address(let value): value.namespace
    case .route(let value): value.namespace
    case .entry(let value): value.namespace
    }
  }

  public var origin: SourceLocation? {
    switch self {
    case .namespace(let value): value.origin
    case .sysctl(let value): value.origin
    case .link(let value): value.origin
    case .vlan(let value): value.origin
    case .address(let value): value.origin
    case .route(let value): value.origin
    case .entry: nil
    }
  }
}

extension Resource: CustomStringConvertible {
  /// Kind and name without the namespace: `link qvo585e6e2e-a6`.
  public var description: String {
    switch self {
    case .namespace(let value): "namespace \(value.name)"
    case .sysctl(let value): "sysctl \(value.key)"
    case .link(let value): "\(value.kind.word) \(value.name)"
    case .vlan(let value): "vlan \(value.vid) of \(value.device)"
    case .address(let value): "address \(value.address) of \(value.device)"
    case .route(let value): "route \(value.destinationText)"
    case .entry(let value): "\(value.table.rawValue) \(value.words)"
    }
  }
}
