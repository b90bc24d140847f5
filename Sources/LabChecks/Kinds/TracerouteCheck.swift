import LabKit
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Values

extension Traceroute: RunnableCheck {
  static let tools = [CheckTool.traceroute]

  /// How often a silent hop is asked again, a second later each time.
  private static let retries = 3

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    let expected = "\(target) after \(hopCount) hop\(hopCount == 1 ? "" : "s")"
    var passage = context.passage(from, to, target)
    passage.probe.transport = .udp
    // Two hops more than expected show a detour.
    let result = try await probe(target, hops: 1...hopCount + 2, in: context)
    var hops = TracerouteHop.hops(in: result.output)
    guard let last = hops.last else {
      throw try await failure(expected, without: result, on: passage, in: context)
    }
    // Nobody asks twice on the way to a target that is not there.
    var isThere = last.address == target
    if !isThere { isThere = try await echo(target, in: context).received > 0 }
    if isThere { try await askAgain(&hops, of: target, in: context) }
    let path = hops.map(\.text).joined(separator: " → ")
    guard hops.last?.address == target else {
      throw Failure(
        expected: expected, seen: "it is not among the first \(hops.count): \(path)", details: result.lines,
        passage: passage)
    }
    guard hops.count == hopCount else {
      throw Failure(
        expected: expected, seen: "\(hops.count) hop\(hops.count == 1 ? "" : "s"): \(path)",
        details: result.lines)
    }
    return path
  }

  /// Sends one probe to each distance, one at a time.
  private func probe(
    _ target: IPAddress, hops: ClosedRange<Int>, in context: CheckContext
  ) async throws -> ProcessResult {
    let range = ["-f", "\(hops.lowerBound)", "-m", "\(hops.upperBound)"]
    return try await context.run(
      .traceroute, ["-n", "-q", "1", "-N", "1", "-w", "1"] + range + ["\(target)"], on: from,
      timeout: .seconds(hops.count + 60))
  }

  /// Asks again at the distances where nobody answered: after six ICMP errors in a row, a Linux node sends no more than
  /// one a second to the same address. Forgets what lies behind the target.
  private func askAgain(
    _ hops: inout [TracerouteHop], of target: IPAddress, in context: CheckContext
  ) async throws {
    for index in hops.indices {
      for _ in 0..<Self.retries where hops[index].isSilent {
        let result = try await probe(target, hops: index + 1...index + 1, in: context)
        hops[index] = TracerouteHop.hops(in: result.output).first ?? hops[index]
      }
      if hops[index].address == target { return hops.removeSubrange((index + 1)...) }
    }
  }

  private func echo(_ target: IPAddress, in context: CheckContext) async throws -> PingSummary {
    let request = PingRequest(target: target, count: 1)
    return try await OwnEcho(request: request, identifier: context.identifiers.next()).send(
      from: from, in: context)
  }

  /// Why traceroute printed no hop. That the kernel refused to send is shown by a request of netlab's own.
  private func failure(
    _ expected: String, without result: ProcessResult, on passage: Passage, in context: CheckContext
  ) async throws -> Failure {
    let words = result.errorOutput.split(whereSeparator: \.isNewline).joined(separator: "; ")
    if let refusal = try await echo(passage.target, in: context).reason, words.contains(refusal) {
      return Failure(expected: expected, seen: words, details: result.lines, passage: passage)
    }
    let obstacle =
      result.status == .exited(127)
      ? CheckTool.traceroute.absence : words.isEmpty ? "no hop: \(result.status)" : words
    return .unproven(expected, "traceroute cannot be used: \(obstacle)", details: result.lines)
  }
}
