import LabKit
import LabMachine

/// A kind of check that can be run: every one of the ``CheckKinds``.
protocol RunnableCheck: CheckValue {
  /// The programs that the check itself cannot do without, not counting those of the checks inside it.
  static var tools: [CheckTool] { get }
  /// The checks whose traffic it watches, when it captures. Captures of the same traffic run together.
  var watched: [Check]? { get }

  /// Finds out whether the check holds.
  ///
  /// - Returns: what was measured, when it holds: `3 of 3 replies, 41 µs on average`.
  /// - Throws: a `Failure` when it does not hold, a `Skip` when it says nothing about this lab. With any other error, or
  ///   a `Failure` that is not proven, it could not be determined.
  func run(in context: CheckContext) async throws -> String
}

extension RunnableCheck {
  var watched: [Check]? { nil }
}

extension Check {
  /// The check as something to run.
  var runnable: any RunnableCheck { Self.runnable(value, of: CheckKinds.self) }

  /// Does not compile unless every kind has its runner.
  private static func runnable<each Kind: RunnableCheck>(
    _ value: any CheckValue, of kinds: (repeat each Kind).Type
  ) -> any RunnableCheck {
    for kind in repeat (each Kind).self {
      if let check = cast(value, to: kind) { return check }
    }
    preconditionFailure("\(type(of: value)) is not one of the CheckKinds")
  }

  private static func cast<Kind: RunnableCheck>(_ value: any CheckValue, to _: Kind.Type) -> Kind? {
    value as? Kind
  }

  /// Whether both watch the same traffic, as in a loop over places around one ping.
  func watches(what other: Check) -> Bool {
    guard let watched = runnable.watched else { return false }
    return watched == other.runnable.watched
  }
}
