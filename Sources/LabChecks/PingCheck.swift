import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Synchronization
import Values

/// Gives each ping an identifier of its own: all pings of a node see all echo replies, and tell theirs by it.
final class EchoIdentifiers: Sendable {
  // Another netlab may verify the same lab.
  private let last = Atomic(UInt16.random(in: .min ... .max))

  func next() -> UInt16 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

extension CheckRunner {
  func perform(_ check: Ping) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    let summary = try await ping(
      PingOptions(
        target: target, count: check.count, size: check.size, dontFragment: check.dontFragment),
      from: check.from)
    if var failure = check.failure(for: summary, target: "\(target)") {
      if summary.received < check.count {
        failure.passage = passage(check.from, check.to, target, check.dontFragment ? check.size : nil)
      }
      throw failure
    }
    return summary.text(of: check.count)
  }

  func perform(_ check: Unreachable) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    try requireSender(check.from, canReach: target)
    let summary = try await ping(
      // More than one, so that a path that loses some is not taken for none.
      PingOptions(
        target: target, count: 3, size: check.size, dontFragment: check.dontFragment, timeout: check.timeout,
        interval: 10),
      from: check.from)
    guard summary.received == 0 else {
      var passage = passage(check.from, check.to, target, check.dontFragment ? check.size : nil)
      passage.question = .arrival
      throw Failure(
        expected: "no reply from \(target)", seen: summary.text(of: 3), details: summary.lines,
        passage: passage)
    }
    return "no reply" + (summary.reason.map { ": \($0)" } ?? " within \(check.timeout) ms")
  }

  /// The packets that go from a VM to an endpoint; with a size as `ping -s` has it, they may not be fragmented.
  func passage(_ sender: String, _ endpoint: Endpoint, _ target: IPAddress, _ size: Int? = nil) -> Passage {
    var passage = Passage(sender: sender, target: target, receiver: lab.vm(endpoint.name)?.name)
    if let size { passage.probe.size = size + 8 + (target.family == .ipv4 ? 20 : 40) }
    return passage
  }

  func ping(_ options: PingOptions, from node: String) async throws -> PingSummary {
    // Requests, the wait for the last reply, and room for a slow machine.
    let limit = Duration.milliseconds(options.count * options.interval + options.timeout + 60_000)
    let command = options.command(identifier: identifiers.next())
    return PingSummary(try await run(command, on: node, timeout: limit))
  }
}

extension Ping {
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

/// What is asked of `ping`.
struct PingOptions {
  var target: IPAddress
  var count: Int
  var size: Int?
  var dontFragment = false
  /// In milliseconds, for the last reply when there was none.
  var timeout = 1000
  /// In milliseconds, between requests that do not go out at once; and for the last reply when there was one.
  ///
  /// It costs nothing where all requests go out at once, unless the kernel refuses to send them.
  var interval = 200

  /// How many requests go out at once. More bytes than about these are dropped while the target's MAC is not known.
  private var burst: Int { min(count, max(1, min(100, 50_000 / ((size ?? 56) + 100)))) }

  func command(identifier: UInt16) -> [String] {
    let interval = burst == count ? interval : 10
    var command = ["ping", "-n", "-e", "\(identifier)", "-c", "\(count)", "-l", "\(burst)"]
    command += ["-i", "\(Double(interval) / 1000)"]
    command += ["-W", "\(Double(timeout) / 1000)"]
    if let size { command += ["-s", "\(size)"] }
    if dontFragment { command += ["-M", "do"] }
    return command + ["\(target)"]
  }
}

/// What `ping` printed.
struct PingSummary {
  var received = 0
  /// In microseconds.
  var averageRoundTrip: Double?
  /// Why there was no reply, where somebody said so: the kernel, or a node on the way.
  var reason: String?
  var lines: [String]

  init(_ result: ProcessResult) { self.init(lines: result.lines, status: result.status) }

  init(lines: [String], status: ProcessResult.Status) {
    self.lines = lines
    for line in lines {
      if line.contains(" packets transmitted, ") {
        received = Int(line.split(separator: ", ")[1].prefix { $0.isNumber }) ?? 0
      } else if line.hasPrefix("rtt "), let values = line.split(separator: " = ").last {
        averageRoundTrip = values.split(separator: "/").dropFirst().first.flatMap { Double($0) }.map {
          $0 * 1000
        }
      } else if line.hasPrefix("ping: ") {
        reason = reason ?? Self.words(of: line)
      } else if line.hasPrefix("From "), let words = line.firstIndex(of: "=") {
        // From 10.0.0.1 icmp_seq=1 Destination Host Unreachable
        let said = line[words...].drop { $0 != " " }.dropFirst()
        reason = reason ?? "\(said) (says \(line.split(separator: " ")[1]))"
      }
    }
    if reason == nil, !status.isSuccess, status != .exited(1) {
      reason = "ping: \(status)"
    }
  }

  /// `ping: connect: Network is unreachable` without the program's name.
  private static func words(of line: String) -> String {
    line.split(separator: ": ").dropFirst().drop { $0 == "connect" || $0 == "sendmsg" }.joined(
      separator: ": ")
  }

  func text(of count: Int) -> String {
    var text = "\(received) of \(count) replies"
    if received > 0, let averageRoundTrip { text += ", \(Int(averageRoundTrip.rounded())) µs on average" }
    if received < count, let reason { text += ": \(reason)" }
    return text
  }
}
