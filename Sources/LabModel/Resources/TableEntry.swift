import LabKit

/// An entry of one of a namespace's tables that somebody added by hand. No lab has any, so each one is drift.
package struct TableEntry: Hashable, Sendable {
  package enum Table: String, Hashable, Sendable {
    case neighbour
    case forwarding = "forwarding entry"
    case rule
    case qdisc
  }

  package var namespace: String
  package var table: Table
  /// As its tool takes it: `10.0.0.3 lladdr fa:16:3e:00:00:01 dev eth0 nud permanent`.
  package var words: String
  /// The kernel's whole description, by which it is deleted, and added again when that has to be undone.
  package var message: [UInt8]
  /// The device with which it goes.
  package var device: String?
  package var isIPv6 = false

  package init(
    namespace: String, table: Table, words: String, message: [UInt8], device: String?, isIPv6: Bool = false
  ) {
    self.namespace = namespace
    self.table = table
    self.words = words
    self.message = message
    self.device = device
    self.isIPv6 = isIPv6
  }

  /// What a person would type; `verb` is `add` or `delete`.
  package func command(_ verb: String) -> String {
    switch table {
    case .neighbour: "ip -n \(namespace) neighbour \(verb) \(words)"
    case .forwarding: "bridge -n \(namespace) fdb \(verb) \(words)"
    case .rule: "ip \(isIPv6 ? "-6 " : "")-n \(namespace) rule \(verb) \(words)"
    case .qdisc: "tc -n \(namespace) qdisc \(verb) \(words)"
    }
  }
}

extension TableEntry: SimpleResource {
  package var identity: OwnedKey<String> {
    OwnedKey(namespace: namespace, device: table.rawValue, value: words)
  }
  package var origin: SourceLocation? { nil }
  package var description: String { "\(table.rawValue) \(words)" }

  package static let added = Stage(after: RouteEntry.added)

  package func survives(_ removal: Removal) -> Bool { removal.leaves(namespace, device) }

}

extension Blueprint {
  /// What was added by hand; a lab wants none.
  package var entries: [TableEntry] {
    get { self[TableEntry.self] }
    _modify { yield &self[TableEntry.self] }
  }
}
