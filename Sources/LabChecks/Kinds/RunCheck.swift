import LabKit
import LabMachine
import LabProcesses

extension Run: RunnableCheck {
  static let tools: [CheckTool] = []

  /// After this long a command is taken to hang.
  private static let commandLimit = Duration.seconds(60)

  func run(in context: CheckContext) async throws -> String {
    let result: ProcessResult
    do {
      result = try await context.run(command, on: node, timeout: Self.commandLimit)
    } catch ProcessError.timedOut(_, let limit, let result) {
      throw Failure(
        expected: "exit status \(status)", seen: "still running after \(limit), and killed",
        details: result.tail)
    }
    guard result.status == .exited(Int32(status)) else {
      throw Failure(expected: "exit status \(status)", seen: "\(result.status)", details: result.tail)
    }
    switch output {
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
