import LabTrace

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
