import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Why packets do not arrive, in one line, and the trace that shows it.
package struct Explanation: Codable, Sendable {
  /// Whether something is wrong.
  package var isFault: Bool
  /// One line: what is lost where, the device and its state, what the lab wants, and the command that repairs it.
  package var culprit: String
  /// What is wrong, for programs.
  package var fault: Trace.Drop?
  /// The commands that repair it.
  package var repair: [String] = []
  /// nil if there was nothing to trace.
  package var trace: Trace?

  /// The culprit, then the trace.
  package func text(_ form: Trace.Form = .minimal) -> String {
    [culprit, trace?.text(form)].compactMap { $0 }.joined(separator: "\n")
  }
}
