import LabKit
import LabMachine
import LabProcesses

extension Run: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let expected = signal.map { ProcessResult.Status.signalled(Int32($0)) } ?? .exited(Int32(status))
    let limit = Duration.milliseconds(timeout ?? 60_000)
    var options = ProcessRunner.Options(place: context.place(of: node))
    options.input = Array((input ?? "").utf8)
    let result: ProcessResult
    do {
      result = try await context.processes.run(
        command, options: options, environment: nil, timeout: limit, outputLimit: outputLimit ?? 1 << 20)
    } catch ProcessError.timedOut(_, let limit, let result) {
      throw Failure(
        expected: "\(expected)", seen: "still running after \(limit), and killed", details: result.tail)
    } catch ProcessError.outputLimitExceeded(_, let limit) {
      throw Failure.unproven(
        "\(expected)", "more than \(limit) bytes of output, and killed: `outputLimit:` allows more")
    }
    guard result.status == expected else {
      if let obstacle = result.obstacle { throw Failure.unproven("the command to run", obstacle) }
      throw Failure(expected: "\(expected)", seen: "\(result.status)", details: result.tail)
    }
    try await output.check(result.standardOutput, of: "the output", result)
    try await errors?.check(result.standardError, of: "standard error", result)
    return "\(result.status)"
  }
}

extension Run.Output {
  /// Throws a `Failure` unless a stream is like this.
  fileprivate func check(_ bytes: [UInt8], of stream: String, _ result: ProcessResult) async throws {
    switch self {
    case .anything: break
    case .contains(let text):
      guard bytes.contains(Array(text.utf8)) else {
        throw Failure(
          expected: "'\(text)' in \(stream)", seen: "it is not there", details: result.tail)
      }
    case .matches(let pattern):
      let expected = "a match of /\(pattern)/ in \(stream)"
      guard let isMatch = try await PatternSearch(pattern: pattern).finds(in: bytes) else {
        throw Failure.unproven(
          expected, "the search took more than \(PatternSearch.limit): there are too many ways to match",
          details: result.tail)
      }
      if !isMatch { throw Failure(expected: expected, seen: "there is none", details: result.tail) }
    }
  }
}

extension ProcessResult {
  /// Why the command did not run; `nil` when it did.
  fileprivate var obstacle: String? {
    guard status == .exited(126) || status == .exited(127), errorOutput.hasPrefix("netlab: cannot ") else {
      return nil
    }
    return lines.last.map { String($0.dropFirst("netlab: ".count)) }
  }

  /// The last lines of what it wrote.
  fileprivate var tail: [String] { lines.isEmpty ? ["(no output)"] : lines.suffix(20) }
}
