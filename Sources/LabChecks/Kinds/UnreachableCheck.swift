import LabKit
import LabMachine
import LabModel
import LabTrace

extension Unreachable: RunnableCheck {
  static let tools: [CheckTool] = []

  /// More than one, so that a path that loses some is not taken for none.
  private static let count = 3

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    try context.requireSender(from, canReach: target)
    let request = PingRequest(
      target: target, count: Self.count, size: size, dontFragment: dontFragment, timeout: timeout,
      interval: 10)
    let summary = try await request.send(from: from, in: context)
    guard summary.received == 0 else {
      var passage = context.passage(from, to, target, dontFragment ? size : nil)
      passage.question = .arrival
      throw Failure(
        expected: "no reply from \(target)", seen: summary.text(of: Self.count), details: summary.lines,
        passage: passage)
    }
    return "no reply" + (summary.reason.map { ": \($0)" } ?? " within \(timeout) ms") + summary.noteText
  }
}
