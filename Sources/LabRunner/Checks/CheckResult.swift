public import LabKit

/// How one check of a lab ended.
public struct CheckResult: Sendable, Codable {
  /// What a check can end with.
  public enum Outcome: Sendable, Codable {
    /// It holds. The detail is what was measured: `3 of 3 replies, 41 µs on average`.
    case passed(detail: String)
    /// It does not hold, or could not be shown to hold.
    case failed(Failure)
    /// It says nothing about this lab, such as tags on a datapath that has none.
    case skipped(reason: String)
  }

  public var check: Check
  public var outcome: Outcome
  public var duration: Duration

  public var title: String { check.value.title }
  public var location: SourceLocation { check.value.location }

  /// Why it failed; `nil` when it did not.
  public var failure: Failure? {
    if case .failed(let failure) = outcome { failure } else { nil }
  }
}

/// Why a check failed.
public struct Failure: Error, Sendable, Codable {
  /// What should have been: `3 of 3 replies`.
  public var expected: String
  /// What was: `0 of 3 replies: Destination Host Unreachable`.
  public var seen: String
  /// Lines that show it: offending packets, or the output of a command.
  public var details: [String] = []
  /// The file that holds the captured packets.
  public var capture: String?
}

/// Thrown by a check that says nothing about this lab.
struct Skip: Error {
  var reason: String
}
