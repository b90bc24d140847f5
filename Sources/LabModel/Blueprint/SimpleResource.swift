import LabKit

/// A kind of resource that takes one request to add, and one to delete.
package protocol SimpleResource: Resource, Addable where Step == AddOrDelete<Self> {}

/// What there is to know about adding and deleting a ``SimpleResource``.
package protocol Addable: Hashable, Sendable {
  var namespace: String { get }
  var origin: SourceLocation? { get }
  /// When it is added: after what it needs.
  static var added: Stage { get }
  /// Whether adding it again changes its attributes; otherwise the old one is deleted first.
  static var isChangedByAdding: Bool { get }
  /// The command that a person would type; `verb` is `add` or `delete`.
  func command(_ verb: String) -> String
}

/// The step that adds a resource, or deletes it.
package indirect enum AddOrDelete<Kind: Addable>: PlanStep {
  case add(Kind)
  case delete(Kind)

  package var resource: Kind {
    switch self {
    case .add(let resource), .delete(let resource): resource
    }
  }
  package var namespace: String { resource.namespace }
  package var origin: SourceLocation? { resource.origin }
  package var commands: [String] {
    switch self {
    case .add(let resource): [resource.command("add")]
    case .delete(let resource): [resource.command("delete")]
    }
  }
}

extension Addable {
  package static var isChangedByAdding: Bool { false }
}

extension SimpleResource {
  package static func plan(_ changes: [ChangeOf<Self>], in plan: inout Plan) {
    var (add, delete): ([Step], [Step]) = ([], [])
    for change in changes {
      switch change {
      case .create(let resource): add.append(.add(resource))
      case .delete(let resource): delete.append(.delete(resource))
      case .update(let resource, let old, _):
        if !isChangedByAdding { delete.append(.delete(old)) }
        add.append(.add(resource))
      }
    }
    plan.remove(delete, of: added)
    plan.add(add, at: added)
  }
}
