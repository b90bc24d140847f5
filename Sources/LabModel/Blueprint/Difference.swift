/// What has to change so that an observation becomes a blueprint: the changes of each kind, and what must go first.
package struct Difference: Sendable {
  private var lists: [any ChangeList] = []

  package var isEmpty: Bool { lists.isEmpty }
  package var count: Int { lists.reduce(0) { $0 + $1.count } }

  /// All changes, kind by kind, for reports.
  package var changes: [Change] { lists.flatMap(\.erased) }

  /// Plans the steps of all kinds.
  func plan(in plan: inout Plan) { for list in lists { list.plan(in: &plan) } }

  fileprivate mutating func compare<Kind: Resource>(_: Kind.Type, _ wanted: Blueprint, _ observed: Blueprint)
  {
    let changes = Self.changes(wanted[Kind.self], Kind.relevant(observed[Kind.self], to: wanted))
    if !changes.isEmpty { lists.append(Changes(changes: changes)) }
  }

  private static func changes<Kind: Resource>(_ wanted: [Kind], _ observed: [Kind]) -> [ChangeOf<Kind>] {
    // Positions, because values are large.
    var remaining = Dictionary(
      zip(observed.lazy.map(\.identity), observed.indices), uniquingKeysWith: { first, _ in first })
    var changes: [ChangeOf<Kind>] = []
    for value in wanted {
      guard let position = remaining.removeValue(forKey: value.identity) else {
        changes.append(.create(value))
        continue
      }
      let found = observed[position]
      let differences = value.differences(from: found)
      if !differences.isEmpty { changes.append(.update(value, from: found, differences)) }
    }
    guard !remaining.isEmpty else { return changes }
    // In the observation's order, so that the same drift is always reported the same way.
    changes += observed.filter { remaining.removeValue(forKey: $0.identity) != nil }.map { .delete($0) }
    return changes
  }
}

extension Blueprint {
  /// What has to change so that `observed` becomes this blueprint. Pure; linear in the number of resources.
  package func difference(from observed: Blueprint) -> Difference {
    var difference = Difference()
    for kind in Self.kinds { difference.compare(kind, self, observed) }
    return difference
  }
}

/// One thing of a kind that differs.
package enum ChangeOf<Kind: Resource>: Hashable, Sendable {
  /// Wanted and not there.
  case create(Kind)
  /// There and not wanted.
  case delete(Kind)
  /// There with other attributes.
  case update(Kind, from: Kind, [AttributeDifference])
}

/// The changes of one kind, whichever it is.
private protocol ChangeList: Sendable {
  var count: Int { get }
  var erased: [Change] { get }
  func plan(in plan: inout Plan)
}

private struct Changes<Kind: Resource>: ChangeList {
  var changes: [ChangeOf<Kind>]

  var count: Int { changes.count }
  var erased: [Change] { changes.map(Change.init) }
  func plan(in plan: inout Plan) { Kind.plan(changes, in: &plan) }
}
