/// Every kind of resource. A new kind is one line here, a file in `Resources`, and a file in LabKernel, without which
/// nothing compiles.
package typealias ResourceKinds = (
  Namespace,
  Sysctl,
  Link,
  BridgeVLAN,
  Qdisc,
  Address,
  RouteEntry,
  TableEntry,
  Setup,
  Daemon
)

extension Blueprint {
  /// The kinds, for loops over all of them.
  package static let kinds: [any Resource.Type] = list(ResourceKinds.self)

  static let identifiers = kinds.map { ObjectIdentifier($0) }

  private static func list<each Kind: Resource>(_: (repeat each Kind).Type) -> [any Resource.Type] {
    var kinds: [any Resource.Type] = []
    repeat kinds.append((each Kind).self)
    return kinds
  }
}
