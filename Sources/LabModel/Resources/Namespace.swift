import LabKit

/// A network namespace: `ip netns add NAME`.
package struct Namespace: Hashable, Sendable {
  package var name: String
  package var origin: SourceLocation?

  package init(name: String, origin: SourceLocation? = nil) {
    self.name = name
    self.origin = origin
  }
}

extension Namespace: Resource {
  package var identity: String { name }
  package var namespace: String { name }
  package var description: String { "namespace \(name)" }

  static let made = Stage()

  package enum Step: PlanStep {
    case add(Namespace)
    case delete(Namespace)

    private var value: Namespace {
      switch self {
      case .add(let value), .delete(let value): value
      }
    }
    package var namespace: String { value.name }
    package var origin: SourceLocation? { value.origin }
    package var commands: [String] {
      switch self {
      case .add(let value): ["ip netns add \(value.name)"]
      case .delete(let value): ["ip netns delete \(value.name)"]
      }
    }
  }

  /// One that is not wanted has been removed, with all that is in it.
  package static func plan(_ changes: [ChangeOf<Namespace>], in plan: inout Plan) {
    plan.add(changes.created().map(Step.add), at: made)
  }
}

extension Blueprint {
  package var namespaces: [Namespace] {
    get { self[Namespace.self] }
    _modify { yield &self[Namespace.self] }
  }
}

extension Sequence {
  /// What is to be created.
  func created<Kind>() -> [Kind] where Element == ChangeOf<Kind> {
    compactMap { if case .create(let value) = $0 { value } else { nil } }
  }
}
