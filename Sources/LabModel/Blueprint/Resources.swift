import LabKit
import Values

/// A network namespace, pinned in `/run/netns` under its name.
package struct Namespace: Hashable, Sendable {
  package var name: String
  package var origin: SourceLocation?

  package init(name: String, origin: SourceLocation? = nil) {
    self.name = name
    self.origin = origin
  }
}

/// A kernel setting of a namespace: `sysctl -w KEY=VALUE` inside it.
package struct Sysctl: Hashable, Sendable {
  package var namespace: String
  /// With dots: `net.ipv6.conf.all.disable_ipv6`.
  package var key: String
  package var value: String
  package var origin: SourceLocation?

  package init(namespace: String, key: String, value: String, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.key = key
    self.value = value
    self.origin = origin
  }
}

/// A VLAN that a bridge port is a member of: `bridge vlan add dev DEVICE vid VID …`.
package struct BridgeVLAN: Hashable, Sendable {
  package var namespace: String
  package var device: String
  package var vid: Int
  /// Untagged frames that come in belong to this VLAN.
  package var isPVID: Bool
  /// Frames of this VLAN go out without a tag.
  package var isUntagged: Bool
  /// Whether the device is the bridge itself, and not one of its ports.
  package var isOnBridge = false
  package var origin: SourceLocation?

  package init(
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
  package var text: String { "\(vid)\(isPVID ? " PVID" : "")\(isUntagged ? " Egress Untagged" : "")" }
}

/// An address of an interface: `ip address add ADDRESS/LENGTH dev DEVICE`.
package struct Address: Hashable, Sendable {
  package var namespace: String
  package var device: String
  package var address: IPPrefix
  package var origin: SourceLocation?

  package init(namespace: String, device: String, address: IPPrefix, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.device = device
    self.address = address
    self.origin = origin
  }
}

/// A route in a namespace's main table: `ip route add DESTINATION via GATEWAY dev DEVICE`.
package struct RouteEntry: Hashable, Sendable {
  package var namespace: String
  package var destination: IPPrefix
  package var gateway: IPAddress?
  /// `nil` for a route that leads nowhere.
  package var device: String?
  /// `unicast`, `blackhole`, `unreachable` or `prohibit`.
  package var type: String
  /// The kernel's default is 0 for IPv4 and 1024 for IPv6.
  package var metric: Int
  package var origin: SourceLocation?

  package init(
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
package indirect enum Resource: Hashable, Sendable {
  case namespace(Namespace)
  case sysctl(Sysctl)
  case link(Link)
  case vlan(BridgeVLAN)
  case address(Address)
  case route(RouteEntry)
  case entry(TableEntry)

  package var namespace: String {
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

  package var origin: SourceLocation? {
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
  package var description: String {
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
