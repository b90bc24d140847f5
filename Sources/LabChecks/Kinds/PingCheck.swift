import LabKit
import LabMachine
import LabModel

extension Ping: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    // The kernel asks for the MAC three times, a second apart.
    if minimumRoundTrip != nil || minimumLoss != nil {
      _ = try await PingRequest(target: target, count: 1, timeout: 3000).send(from: from, in: context)
    }
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
    if let minimumLoss {
      expected = "\(minimumLoss)% to \(maximumLoss)% of \(count) requests to \(target) lost"
    }
    switch (minimumRoundTrip, maximumRoundTrip) {
    case (let least?, let most?): expected += ", in \(least) to \(most) µs on average"
    case (let least?, nil): expected += ", in at least \(least) µs on average"
    case (nil, let most?): expected += ", within \(most) µs on average"
    case (nil, nil): break
    }
    let lost = count - min(summary.received, count)
    let arrived = lost * 100 <= maximumLoss * count && lost * 100 >= (minimumLoss ?? 0) * count
    let isWithin = maximumRoundTrip.map { (summary.averageRoundTrip ?? .infinity) <= Double($0) } ?? true
    let isSlowEnough = minimumRoundTrip.map { (summary.averageRoundTrip ?? 0) >= Double($0) } ?? true
    let inTime = isWithin && isSlowEnough
    guard !arrived || !inTime else { return nil }
    return Failure(expected: expected, seen: summary.text(of: count), details: summary.lines)
  }
}
