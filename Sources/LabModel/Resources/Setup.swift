import LabKit

/// What was done in a VM when it was new. It is done once for each network namespace that the VM gets.
package struct Setup: Hashable, Sendable {
  package var namespace: String
  package var node: String
  /// Each for `sh -c`, in this order.
  package var commands: [String]
  package var hostname: String
  package var origin: SourceLocation?

  package init(
    namespace: String, node: String, commands: [String], hostname: String, origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.node = node
    self.commands = commands
    self.hostname = hostname
    self.origin = origin
  }
}

extension Setup: Resource {
  package var identity: String { namespace }
  package var description: String { "setup of \(node)" }

  static let done = Stage(after: TableEntry.added)

  /// What was done cannot be taken back, and is not done a second time.
  package static func relevant(_ observed: [Setup], to wanted: Blueprint) -> [Setup] {
    let known = Set(wanted[Setup.self].map(\.identity))
    return observed.filter { known.contains($0.identity) }
  }

  /// Runs the commands, of which the first that fails is the last.
  package struct Step: PlanStep {
    package let setup: Setup

    package var namespace: String { setup.namespace }
    package var origin: SourceLocation? { setup.origin }
    package var commands: [String] {
      let lab = setup.namespace.dropLast(setup.node.utf8.count + 1)
      return setup.commands.map { "netlab exec \(lab) \(setup.node) -- sh -c \($0.shellQuoted)" }
    }
  }

  package static func plan(_ changes: [ChangeOf<Setup>], in plan: inout Plan) {
    plan.add(changes.created().map(Step.init), at: done)
  }
}
