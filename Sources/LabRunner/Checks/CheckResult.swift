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

  /// Adds to a failure why it is so.
  mutating func explain(_ explanation: Explanation) {
    guard var failure else { return }
    failure.explanation = explanation
    outcome = .failed(failure)
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
  /// Why packets did not arrive, or how they came where they must not; nil for what is not about packets.
  public var explanation: Explanation?
  /// The packets to look at for an explanation.
  var passage: Passage?
}

/// The packets that a failed check was about.
struct Passage: Hashable, Sendable, Codable {
  /// What is to be found out about them.
  enum Question: Hashable, Codable {
    /// Why they do not arrive.
    case loss
    /// How they arrive where they must not.
    case arrival
    /// Why they were seen otherwise than they should be at a device of a node.
    case sighting(node: String, device: String)
  }

  var question = Question.loss
  /// A VM.
  var sender: String
  var target: IPAddress
  /// The VM whose address it is, as others may have the same one.
  var receiver: String?
  var probe = Tracer.Probe()
}

/// Thrown by a check that says nothing about this lab.
struct Skip: Error {
  var reason: String
}
