import LabKit
import LabMachine
import LabModel
import LabProcesses
import LabTrace

extension Traceroute: RunnableCheck {
  static let tools = [CheckTool.traceroute]

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    let expected = "\(target) after \(hopCount) hop\(hopCount == 1 ? "" : "s")"
    // One probe at a time: kernels limit how many errors they answer with. Two hops more than expected show a detour.
    let limit = hopCount + 2
    let result = try await context.run(
      .traceroute, ["-n", "-q", "1", "-N", "1", "-w", "1", "-m", "\(limit)", "\(target)"], on: from,
      timeout: .seconds(limit + 60))
    let hops = TracerouteHop.hops(in: result.output)
    var passage = context.passage(from, to, target)
    passage.probe.transport = .udp
    let words = result.errorOutput.split(whereSeparator: \.isNewline).joined(separator: "; ")
    guard let last = hops.last else {
      throw Failure(
        expected: expected, seen: words.isEmpty ? "no hop: \(result.status)" : words, details: result.lines,
        passage: passage)
    }
    let path = hops.map(\.text).joined(separator: " → ")
    guard last.address == target else {
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
}
