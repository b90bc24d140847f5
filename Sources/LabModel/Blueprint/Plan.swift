import LabKit

/// One request to the kernel, or to something else that a lab is made of.
///
/// A plan has thousands: a step should be small, and hold what it is about elsewhere.
package protocol PlanStep: Hashable, Sendable {
  /// The `ip netns` name of the namespace in which it is taken.
  var namespace: String { get }
  /// What in the lab it is there for.
  var origin: SourceLocation? { get }
  /// The step as a person would type it.
  var commands: [String] { get }
}

/// Steps in an order that the kernel accepts: removals first, then what is made, each after what it needs.
package struct Plan: Sendable {
  /// The steps, one kind of step after the other.
  package private(set) var lists: [any StepList] = []

  package var isEmpty: Bool { lists.isEmpty }
  package var count: Int { lists.reduce(0) { $0 + $1.count } }

  /// The plan as the `ip` and `bridge` commands a person would have typed.
  package var commands: [String] { lists.flatMap(\.commands) }

  /// The links that have to go before the rest can be changed, and what goes with them.
  private(set) var removal: Removal

  /// What turns `observed` into `wanted`.
  package init(from observed: Blueprint, to wanted: Blueprint) {
    self.init(wanted.difference(from: observed), from: observed, to: wanted)
  }

  /// What turns `observed` into `wanted`, of which the difference is known.
  package init(_ difference: Difference, from observed: Blueprint, to wanted: Blueprint) {
    removal = Removal(remaining: observed)
    guard !difference.isEmpty else { return }
    let isNew = observed[Namespace.self].isEmpty
    if !isNew { removal = observed.removal(unlike: wanted) }
    let rest = isNew ? difference : wanted.difference(from: removal.remaining)
    rest.plan(in: &self)
    remove(removal.links.map(LinkStep.delete), of: Link.made)
    end(removal.namespaces.map(Namespace.Step.delete))
    removal = Removal(remaining: Blueprint())
    lists.sort { $0.order < $1.order }
  }

  /// Adds steps that make or change something.
  mutating func add(_ steps: [some PlanStep], at stage: Stage) { add(steps, (1, stage.depth)) }

  /// Adds steps that remove things: before anything is made, and those that need the most go first.
  mutating func remove(_ steps: [some PlanStep], of stage: Stage) { add(steps, (0, -stage.depth)) }

  /// Adds steps that cannot be undone, which come last.
  mutating func end(_ steps: [some PlanStep]) { add(steps, (2, 0)) }

  private mutating func add<Step: PlanStep>(_ steps: [Step], _ order: (Int, Int)) {
    guard !steps.isEmpty else { return }
    // `sort` keeps no order among equals, so the position decides there.
    lists.append(
      Steps(steps: steps, order: StepOrder(moment: order.0, depth: order.1, position: lists.count)))
  }
}

/// When a list of steps is due.
package struct StepOrder: Comparable, Sendable {
  fileprivate var moment: Int
  fileprivate var depth: Int
  fileprivate var position: Int

  /// Whether the steps remove things for which others may be made.
  package var isRemoval: Bool { moment == 0 }

  package static func < (first: StepOrder, second: StepOrder) -> Bool {
    (first.moment, first.depth, first.position) < (second.moment, second.depth, second.position)
  }
}

/// Steps of one kind that are due at one time, whichever kind it is.
package protocol StepList: Sendable {
  var order: StepOrder { get }
  var count: Int { get }
  var erased: [any PlanStep] { get }
  var commands: [String] { get }
}

package struct Steps<Step: PlanStep>: StepList {
  package let steps: [Step]
  package let order: StepOrder

  package var count: Int { steps.count }
  package var erased: [any PlanStep] { steps }
  package var commands: [String] { steps.flatMap(\.commands) }
}
