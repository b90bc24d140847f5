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

extension CheckRunner {
  /// After this long a command is taken to hang.
  private static let commandLimit = Duration.seconds(60)

  func perform(_ check: Run) async throws -> String {
    let result: ProcessResult
    do {
      result = try await processes.run(
        check.command, in: namespace(of: check.node), timeout: Self.commandLimit)
    } catch ProcessError.timedOut(_, let limit, let result) {
      throw Failure(
        expected: "exit status \(check.status)", seen: "still running after \(limit), and killed",
        details: result.tail)
    }
    guard result.status == .exited(Int32(check.status)) else {
      throw Failure(expected: "exit status \(check.status)", seen: "\(result.status)", details: result.tail)
    }
    switch check.output {
    case .anything: break
    case .contains(let text):
      guard result.output.contains(text) else {
        throw Failure(
          expected: "'\(text)' in the output", seen: "it is not there", details: result.tail)
      }
    case .matches(let pattern):
      let expression = try Regex(pattern).anchorsMatchLineEndings()
      guard result.output.contains(expression) else {
        throw Failure(
          expected: "output that matches /\(pattern)/", seen: "nothing of it does", details: result.tail)
      }
    }
    return "\(result.status)"
  }
}

extension ProcessResult {
  /// The last lines of what it wrote.
  fileprivate var tail: [String] { lines.isEmpty ? ["(no output)"] : lines.suffix(20) }
}
