import LabTrace

/// Why a check failed, or could not be determined.
package struct Failure: Error, Sendable, Codable {
  /// What should have been: `3 of 3 replies`.
  package var expected: String
  /// What was: `0 of 3 replies: Destination Host Unreachable`.
  package var seen: String
  /// Whether it shows that the check does not hold; if not, it could not be determined.
  package var isProven = true
  /// Lines that show it: offending packets, or the output of a command.
  package var details: [String] = []
  /// The file that holds the captured packets.
  package var capture: String?
  /// Why packets did not arrive, or how they came where they must not; nil for what is not about packets.
  package var explanation: Explanation?
  /// The packets to look at for an explanation.
  var passage: Passage?

  /// What was to be found out, and why that was not possible.
  static func unproven(_ expected: String, _ seen: String, details: [String] = []) -> Failure {
    Failure(expected: expected, seen: seen, isProven: false, details: details)
  }
}
