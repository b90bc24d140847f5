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
  func perform(_ check: Traceroute) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    let expected = "\(target) after \(check.hopCount) hop\(check.hopCount == 1 ? "" : "s")"
    // One probe at a time: kernels limit how many errors they answer with. Two hops more than expected show a detour.
    let limit = check.hopCount + 2
    let result = try await run(
      ["traceroute", "-n", "-q", "1", "-N", "1", "-w", "1", "-m", "\(limit)", "\(target)"], on: check.from,
      timeout: .seconds(limit + 60))
    let hops = Self.hops(in: result.output)
    var passage = passage(check.from, check.to, target)
    passage.probe.transport = .udp
    let words = result.errorOutput.split(whereSeparator: \.isNewline).joined(separator: "; ")
    guard let last = hops.last else {
      throw Failure(
        expected: expected, seen: words.isEmpty ? "no hop: \(result.status)" : words, details: result.lines,
        passage: passage)
    }
    let path = hops.joined(separator: " → ")
    guard last == "\(target)" else {
      throw Failure(
        expected: expected, seen: "it is not among the first \(hops.count): \(path)", details: result.lines,
        passage: passage)
    }
    guard hops.count == check.hopCount else {
      throw Failure(
        expected: expected, seen: "\(hops.count) hop\(hops.count == 1 ? "" : "s"): \(path)",
        details: result.lines)
    }
    return path
  }

  /// Who answered at each distance: an address, or `*`. Lines are ` 1  10.0.0.2  0.5 ms`, or ` 1  10.0.0.1  3.0 ms !H`.
  static func hops(in output: String) -> [String] {
    output.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 2, Int(words[0]) != nil else { return nil }
      // An error from the way is not the target's answer.
      let error = words.last.flatMap { $0.hasPrefix("!") ? " \($0)" : nil } ?? ""
      return words[1] + error
    }
  }
}
