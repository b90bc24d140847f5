import LabMachine
import LabModel

/// Why a process gave no result. A command that fails by itself is a ``ProcessResult``, not an error.
package enum ProcessError: Error, Sendable {
  /// The kernel did not start it.
  case notStarted(command: String, reason: String)
  /// It was still running after `limit`, and was killed; `result` is what it had written by then.
  case timedOut(command: String, limit: Duration, result: ProcessResult)
  /// It wrote more than `limit` bytes to one stream, and was killed.
  case outputLimitExceeded(command: String, limit: Int)
}

extension ProcessError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notStarted(let command, let reason):
      "cannot start `\(command)`: \(reason)"
    case .timedOut(let command, let limit, let result):
      "`\(command)` was still running after \(limit) and was killed"
        + (result.standardError.isEmpty ? "" : "; it last said: \(result.errorOutput.suffix(400))")
    case .outputLimitExceeded(let command, let limit):
      "`\(command)` wrote more than \(limit) bytes and was killed"
    }
  }
}
