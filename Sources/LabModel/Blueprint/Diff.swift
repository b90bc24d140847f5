import LabKit
import Values

/// One thing that an observation has otherwise than a blueprint wants it.
package enum Change: Hashable, Sendable {
  /// Wanted and not there.
  case create(Resource)
  /// There and not wanted.
  case delete(Resource)
  /// There with other attributes.
  case update(Resource, from: Resource, [Difference])

  package var resource: Resource {
    switch self {
    case .create(let resource), .delete(let resource), .update(let resource, _, _): resource
    }
  }
}

/// An attribute with two values.
package struct Difference: Hashable, Sendable {
  package var attribute: String
  package var wanted: String
  package var observed: String
}

extension Blueprint {
  /// What has to change so that `observed` becomes this blueprint. Pure; linear in the number of resources.
  package func difference(from observed: Blueprint) -> [Change] {
    changes(namespaces, observed.namespaces) + changes(sysctls, settings(in: observed))
      + changes(links, observed.links)
      + changes(vlans, observed.vlans) + changes(addresses, observed.addresses)
      + changes(routes, observed.routes) + changes(entries, observed.entries)
  }

  /// A setting that nobody has an opinion of any more stays as it is, as long as its namespace does.
  private func settings(in observed: Blueprint) -> [Sysctl] {
    let known = Set(sysctls.map(\.identity))
    let kept = Set(namespaces.map(\.name))
    return observed.sysctls.filter { known.contains($0.identity) || !kept.contains($0.namespace) }
  }

  private func changes<Value: ResourceValue>(_ wanted: [Value], _ observed: [Value]) -> [Change] {
    // Positions, because values are large.
    var remaining = Dictionary(
      zip(observed.lazy.map(\.identity), observed.indices), uniquingKeysWith: { first, _ in first })
    var changes: [Change] = []
    for value in wanted {
      guard let position = remaining.removeValue(forKey: value.identity) else {
        changes.append(.create(value.resource))
        continue
      }
      let found = observed[position]
      let differences = value.differences(from: found)
      if !differences.isEmpty { changes.append(.update(value.resource, from: found.resource, differences)) }
    }
    guard !remaining.isEmpty else { return changes }
    // In the observation's order, so that the same drift is always told the same way.
    changes += observed.filter { remaining.removeValue(forKey: $0.identity) != nil }.map {
      .delete($0.resource)
    }
    return changes
  }
}

/// A kind of resource: what identifies one, and what can differ.
private protocol ResourceValue {
  associatedtype Key: Hashable
  var identity: Key { get }
  var resource: Resource { get }
  func differences(from observed: Self) -> [Difference]
}

private struct DeviceKey: Hashable {
  var namespace: String
  var name: String
}

/// What identifies a resource that belongs to a device.
private struct OwnedKey<Value: Hashable>: Hashable {
  var namespace: String
  var device: String
  var value: Value
}

extension Namespace: ResourceValue {
  fileprivate var identity: String { name }
  fileprivate var resource: Resource { .namespace(self) }
  fileprivate func differences(from observed: Namespace) -> [Difference] { [] }
}

extension Sysctl: ResourceValue {
  fileprivate var identity: DeviceKey { DeviceKey(namespace: namespace, name: key) }
  fileprivate var resource: Resource { .sysctl(self) }
  fileprivate func differences(from observed: Sysctl) -> [Difference] {
    value == observed.value ? [] : [Difference(attribute: "value", wanted: value, observed: observed.value)]
  }
}

extension BridgeVLAN: ResourceValue {
  fileprivate var identity: OwnedKey<Int> { OwnedKey(namespace: namespace, device: device, value: vid) }
  fileprivate var resource: Resource { .vlan(self) }
  fileprivate func differences(from observed: BridgeVLAN) -> [Difference] {
    text == observed.text ? [] : [Difference(attribute: "flags", wanted: text, observed: observed.text)]
  }
}

extension Address: ResourceValue {
  fileprivate var identity: OwnedKey<IPPrefix> {
    OwnedKey(namespace: namespace, device: device, value: address)
  }
  fileprivate var resource: Resource { .address(self) }
  fileprivate func differences(from observed: Address) -> [Difference] { [] }
}

extension RouteEntry: ResourceValue {
  fileprivate var identity: OwnedKey<IPPrefix> {
    OwnedKey(namespace: namespace, device: "\(metric)", value: destination)
  }
  fileprivate var resource: Resource { .route(self) }
  fileprivate func differences(from observed: RouteEntry) -> [Difference] {
    func text(_ route: RouteEntry) -> String {
      ([
        route.type == "unicast" ? nil : route.type, route.gateway.map { "via \($0)" },
        route.device.map { "dev \($0)" },
      ])
      .compactMap { $0 }.joined(separator: " ")
    }
    let (wanted, found) = (text(self), text(observed))
    return wanted == found ? [] : [Difference(attribute: "path", wanted: wanted, observed: found)]
  }
}

extension TableEntry: ResourceValue {
  fileprivate var identity: OwnedKey<String> {
    OwnedKey(namespace: namespace, device: table.rawValue, value: words)
  }
  fileprivate var resource: Resource { .entry(self) }
  fileprivate func differences(from observed: TableEntry) -> [Difference] { [] }
}

extension Link: ResourceValue {
  fileprivate var identity: DeviceKey { DeviceKey(namespace: namespace, name: name) }
  fileprivate var resource: Resource { .link(self) }

  fileprivate func differences(from observed: Link) -> [Difference] {
    var found: [Difference] = []
    func compare<Value: Equatable>(
      _ attribute: String, _ wanted: Value, _ observed: Value, _ text: (Value) -> String
    ) {
      if wanted != observed {
        found.append(Difference(attribute: attribute, wanted: text(wanted), observed: text(observed)))
      }
    }
    compare("name", name, observed.presentName ?? observed.name) { $0 }
    if !isOfKind(of: observed) { compare("kind", kindText, observed.kindText) { $0 } }
    if let mac { compare("address", mac, observed.mac) { $0.map { "\($0)" } ?? "none" } }
    if let mtu { compare("mtu", mtu, observed.mtu) { $0.map { "\($0)" } ?? "none" } }
    compare("master", master, observed.master) { $0 ?? "none" }
    compare("state", isUp, observed.isUp) { $0 ? "up" : "down" }
    compare("promisc", isPromiscuous, observed.isPromiscuous) { $0 ? "on" : "off" }
    if let alias { compare("alias", alias, observed.alias) { $0 ?? "none" } }
    if altnames != observed.altnames {
      compare("altname", altnames.sorted(), observed.altnames.sorted()) {
        $0.isEmpty ? "none" : $0.joined(separator: ", ")
      }
    }
    if case .bridge(let wanted) = kind, case .bridge(let options) = observed.kind {
      let values = Dictionary(uniqueKeysWithValues: options.words.map { ($0.option, $0.value) })
      for (option, value) in wanted.words where values[option] != value {
        found.append(
          Difference(
            attribute: option, wanted: "\(value)", observed: values[option].map { "\($0)" } ?? "unsupported"))
      }
    }
    let options = options.differing(from: observed.options)
    for option in LinkOption.allCases {
      guard let wanted = options[option], let value = observed.options[option] else { continue }
      found.append(Difference(attribute: option.word, wanted: "\(wanted)", observed: "\(value)"))
    }
    return found
  }

  /// Whether the two are alike in what only deleting and creating a link again can change.
  func isOfKind(of other: Link) -> Bool {
    switch (kind, other.kind) {
    case (.bridge, .bridge): true
    default: kind == other.kind
    }
  }

  private var kindText: String {
    switch kind {
    case .veth(let namespace, let peer): "veth to \(peer) in \(namespace)"
    case .vlan(let id, let parent): "vlan \(id) on \(parent)"
    case .loopback, .bridge, .other: kind.word
    }
  }
}
