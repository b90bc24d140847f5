import LabKit
import Values

/// A route in a namespace's main table: `ip route add DESTINATION via GATEWAY dev DEVICE`.
package struct RouteEntry: Hashable, Sendable {
  package var namespace: String
  package var destination: IPPrefix
  package var gateway: IPAddress?
  /// `nil` for a route that leads nowhere.
  package var device: String?
  package var type: RouteType
  /// The kernel's default is 0 for IPv4 and 1024 for IPv6.
  package var metric: Int
  package var origin: SourceLocation?

  package init(
    namespace: String, destination: IPPrefix, gateway: IPAddress? = nil, device: String?,
    type: RouteType = .unicast, metric: Int? = nil, origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.destination = destination
    self.gateway = gateway
    self.device = device
    self.type = type
    self.metric = metric ?? Self.usualMetric(destination.family)
    self.origin = origin
  }

  private static func usualMetric(_ family: IPAddress.Family) -> Int { family == .ipv4 ? 0 : 1024 }

  /// As `ip route` writes it; IPv6's default route as `::/0`, so that it is told from IPv4's.
  package var destinationText: String {
    destination.length == 0 && destination.family == .ipv4 ? "default" : "\(destination)"
  }

  /// What the packets are put on: `via 10.0.0.1 dev eth0`.
  private var path: [String?] {
    [
      type == .unicast ? nil : type.rawValue, gateway.map { "via \($0)" },
      device.map { "dev \($0.shellQuoted)" },
    ]
  }

  fileprivate var words: String {
    let metric = metric == Self.usualMetric(destination.family) ? nil : "metric \(metric)"
    return ([path[0], destinationText] + path.dropFirst() + [metric]).compactMap { $0 }.joined(separator: " ")
  }
}

/// What becomes of packets that a route is for, in `ip route`'s words.
package enum RouteType: String, Hashable, Sendable, CaseIterable {
  case unicast, blackhole, unreachable, prohibit
}

extension RouteEntry: SimpleResource {
  package var identity: OwnedKey<IPPrefix> {
    OwnedKey(namespace: namespace, device: "\(metric)", value: destination)
  }
  package var owner: String? { device }
  package var description: String { "route \(destinationText)" }

  package static let added = Stage(after: Address.added)

  package func differences(from observed: RouteEntry) -> [AttributeDifference] {
    func text(_ route: RouteEntry) -> String { route.path.compactMap { $0 }.joined(separator: " ") }
    let (wanted, found) = (text(self), text(observed))
    return wanted == found ? [] : [AttributeDifference(attribute: "path", wanted: wanted, observed: found)]
  }

  /// A link that goes down loses its routes.
  package func survives(_ removal: Removal) -> Bool {
    removal.leaves(namespace, device)
      && device.map { !removal.stopped.contains(LinkKey(namespace: namespace, name: $0)) } ?? true
  }

  package func command(_ verb: String) -> String { "ip -n \(namespace) route \(verb) \(words)" }
}

extension Blueprint {
  package var routes: [RouteEntry] {
    get { self[RouteEntry.self] }
    _modify { yield &self[RouteEntry.self] }
  }
}
