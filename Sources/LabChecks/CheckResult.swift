import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

/// How one check of a lab ended.
package struct CheckResult: Sendable, Codable {
  /// What a check can end with.
  package enum Outcome: Sendable, Codable {
    /// It holds. The detail is what was measured: `3 of 3 replies, 41 µs on average`.
    case passed(detail: String)
    /// It does not hold, or could not be shown to hold.
    case failed(Failure)
    /// It says nothing about this lab, such as tags on a datapath that has none.
    case skipped(reason: String)
  }

  package var check: Check
  package var outcome: Outcome
  package var duration: Duration

  package var title: String { check.value.title }
  package var location: SourceLocation { check.value.location }

  /// Why it failed; `nil` when it did not.
  package var failure: Failure? {
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
package struct Failure: Error, Sendable, Codable {
  /// What should have been: `3 of 3 replies`.
  package var expected: String
  /// What was: `0 of 3 replies: Destination Host Unreachable`.
  package var seen: String
  /// Lines that show it: offending packets, or the output of a command.
  package var details: [String] = []
  /// The file that holds the captured packets.
  package var capture: String?
  /// Why packets did not arrive, or how they came where they must not; nil for what is not about packets.
  package var explanation: Explanation?
  /// The packets to look at for an explanation.
  var passage: Passage?
}

/// Thrown by a check that says nothing about this lab.
struct Skip: Error {
  var reason: String
}
