import LabKit
import LabMachine
import LabModel

extension Ping: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    let request = PingRequest(target: target, count: count, size: size, dontFragment: dontFragment)
    let summary = try await request.send(from: from, in: context)
    if var failure = failure(for: summary, target: "\(target)") {
      if summary.received < count {
        failure.passage = context.passage(from, to, target, dontFragment ? size : nil)
      }
      throw failure
    }
    return summary.text(of: count)
  }

  /// Why what ping printed is not as it should be; `nil` when it is.
  func failure(for summary: PingSummary, target: String) -> Failure? {
    var expected = "\(count) of \(count) replies from \(target)"
    if maximumLoss > 0 { expected += ", or at most \(maximumLoss)% lost" }
    if let maximumRoundTrip { expected += ", within \(maximumRoundTrip) µs on average" }
    let lost = count - min(summary.received, count)
    let arrived = lost * 100 <= maximumLoss * count
    let inTime = maximumRoundTrip.map { (summary.averageRoundTrip ?? .infinity) <= Double($0) } ?? true
    guard !arrived || !inTime else { return nil }
    return Failure(expected: expected, seen: summary.text(of: count), details: summary.lines)
  }
}
