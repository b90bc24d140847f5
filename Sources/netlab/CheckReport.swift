import LabChecks
import LabKit
import LabTrace
import Synchronization

/// Shows checks as they end, and counts them.
final class CheckReport: Sendable {
  private let total: Int
  private let json: Bool
  private let width: Int
  /// The culprits that have been shown with a trace.
  private let shown = Mutex<Set<String>>([])

  init(_ checks: [Check], json: Bool) {
    total = checks.count
    self.json = json
    width = min(checks.map(\.value.title.count).max() ?? 0, 72)
  }

  /// Prints one check's result.
  func show(_ result: CheckResult) {
    guard !json else { return }
    let title = result.title.terminalSafe.padding(to: width)
    let place = Console.shortening("\(result.location)")
    let time = Console.styled(Console.text(result.duration), .faint)
    switch result.outcome {
    case .passed(let detail):
      Console.print("\(Console.styled("✓", .good)) \(title)  \(detail.terminalSafe)  \(time)")
    case .skipped(let reason):
      Console.print("\(Console.styled("–", .notice)) \(title)  skipped: \(reason)")
    case .failed(let failure):
      Console.print("\(Console.styled("✗", .bad)) \(Console.styled(title, .strong))  \(place)  \(time)")
      show(failure)
    case .undetermined(let problem):
      Console.print(
        "\(Console.styled("?", .notice)) \(Console.styled(title, .strong))  undetermined  \(place)  \(time)")
      show(problem)
    }
  }

  private func show(_ failure: Failure) {
    Console.print("    expected  \(failure.expected.terminalSafe)")
    Console.print("    seen      \(failure.seen.terminalSafe)")
    for line in failure.details { Console.print("      \(line.terminalSafe)") }
    if let capture = failure.capture { Console.print("    packets   \(Console.shortening(capture))") }
    if let explanation = failure.explanation { show(explanation) }
  }

  /// What is to blame in one line, and the trace that shows it when it was not shown before.
  private func show(_ explanation: Explanation) {
    Console.print(
      "    culprit   \(Console.styled(Console.runnable(explanation.culprit.terminalSafe), .strong))")
    guard let trace = explanation.trace else { return }
    let isNew = shown.withLock { $0.insert(explanation.culprit).inserted }
    guard isNew else { return }
    for line in Console.runnable(trace.text(.minimal)).split(separator: "\n") {
      Console.print("      \(String(line).terminalSafe)")
    }
  }

  /// Prints the sum, or with `--json` everything.
  func finish(_ results: [CheckResult], lab: String, kernel: String, after duration: Duration) throws {
    let failed = results.count { $0.failure != nil }
    let undetermined = results.count { $0.problem != nil } - failed
    let skipped = results.count { if case .skipped = $0.outcome { true } else { false } }
    let passed = results.count - failed - undetermined - skipped
    if json {
      return try Console.printJSON(
        Document(
          lab: lab, kernel: kernel, passed: passed, failed: failed, undetermined: undetermined,
          skipped: skipped, milliseconds: duration.milliseconds, checks: results.map(Document.Row.init)))
    }
    let parts = [
      "\(passed) passed", failed > 0 ? Console.styled("\(failed) failed", .bad) : nil,
      undetermined > 0 ? Console.styled("\(undetermined) undetermined", .notice) : nil,
      skipped > 0 ? "\(skipped) skipped" : nil,
    ].compactMap { $0 }
    Console.print(
      "\(total) check\(total == 1 ? "" : "s"): \(parts.joined(separator: ", ")) (\(Console.text(duration)))")
  }

  private struct Document: Encodable {
    var lab: String
    var kernel: String
    var passed: Int
    var failed: Int
    var undetermined: Int
    var skipped: Int
    var milliseconds: Double
    var checks: [Row]

    struct Row: Encodable {
      var check: String
      var location: String
      var outcome: String
      var detail: String?
      var expected: String?
      var seen: String?
      var details: [String]?
      var capture: String?
      var culprit: String?
      var repair: [String]?
      var trace: Trace?
      var milliseconds: Double

      init(_ result: CheckResult) {
        check = result.title
        location = "\(result.location)"
        milliseconds = result.duration.milliseconds
        switch result.outcome {
        case .passed(let text): (outcome, detail) = ("passed", text)
        case .skipped(let reason): (outcome, detail) = ("skipped", reason)
        case .failed(let failure), .undetermined(let failure):
          outcome = failure.isProven ? "failed" : "undetermined"
          expected = failure.expected
          seen = failure.seen
          details = failure.details
          capture = failure.capture
          culprit = failure.explanation?.culprit
          repair = failure.explanation?.repair
          trace = failure.explanation?.trace
        }
      }
    }
  }
}

extension String {
  /// The text with spaces up to a width.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
