/// One thing that differs between a blueprint and an observation, whatever its kind.
package enum Change: Sendable {
  /// Wanted and not there.
  case create(any Resource)
  /// There and not wanted.
  case delete(any Resource)
  /// There with other attributes.
  case update(any Resource, from: any Resource, [AttributeDifference])

  init<Kind>(_ change: ChangeOf<Kind>) {
    self =
      switch change {
      case .create(let resource): .create(resource)
      case .delete(let resource): .delete(resource)
      case .update(let resource, let observed, let differences):
        .update(resource, from: observed, differences)
      }
  }

  package var resource: any Resource {
    switch self {
    case .create(let resource), .delete(let resource), .update(let resource, _, _): resource
    }
  }

  /// In what a thing that is there differs.
  package var differences: [AttributeDifference] {
    if case .update(_, _, let differences) = self { differences } else { [] }
  }

  /// One line for people: what is wrong with what.
  package var summary: String {
    // A namespace is in no other.
    let place = resource is Namespace ? "" : " in \(resource.namespace)"
    return switch self {
    case .create(let resource): "missing: \(resource)\(place)"
    case .delete(let resource): "unexpected: \(resource)\(place)"
    case .update(let resource, _, let differences):
      resource.summary(differences)
        ?? "changed: \(resource)\(place): "
        + differences.map { "\($0.attribute) is \($0.observed), should be \($0.wanted)" }.joined(
          separator: "; ")
    }
  }
}

extension Change: Equatable {
  package static func == (first: Change, second: Change) -> Bool {
    switch (first, second) {
    case (.create(let one), .create(let other)), (.delete(let one), .delete(let other)):
      AnyHashable(one) == AnyHashable(other)
    case (.update(let one, let from, let differences), .update(let other, let found, let others)):
      AnyHashable(one) == AnyHashable(other) && AnyHashable(from) == AnyHashable(found)
        && differences == others
    default: false
    }
  }
}

extension Blueprint {
  /// This observation with some of its changes made.
  package func making(_ changes: [Change]) -> Blueprint {
    var result = self
    for change in changes {
      switch change {
      case .create(let resource): result.add(resource)
      case .delete(let resource): result.remove(resource)
      case .update(let resource, let found, _):
        result.remove(found)
        result.add(resource)
      }
    }
    return result
  }

  private mutating func add<Kind: Resource>(_ resource: Kind) { self[Kind.self].append(resource) }
  private mutating func remove<Kind: Resource>(_ resource: Kind) {
    self[Kind.self].removeAll { $0 == resource }
  }
}
