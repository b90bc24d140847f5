import Glibc
import TestSupport
import Testing
import Values

@testable import LabChecks
@testable import LabKit
@testable import LabMachine
@testable import LabModel
@testable import LabProcesses

/// A check holds, does not hold, or could not be determined: with programs that work, and with such as do not.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6)) struct VerdictTests {
  /// A `ping` that tells nothing of the network, and what the result says of it.
  struct FakePing: Sendable, CustomTestStringConvertible {
    var name: String
    /// `nil`: there is none.
    var script: String?
    var words: String
    var testDescription: String { name }
  }

  static let fakes = [
    FakePing(
      name: "older than -e", script: "echo \"ping: invalid option -- 'e'\" >&2; exit 2",
      words: "invalid option -- 'e'"),
    FakePing(
      name: "of busybox", script: "echo 'Usage: ping [OPTIONS] HOST' >&2; exit 1",
      words: "Usage: ping [OPTIONS] HOST"),
    FakePing(
      name: "in German", script: "echo '3 Pakete übertragen, 3 empfangen, 0% Paketverlust, Zeit 9ms'",
      words: "3 Pakete übertragen, 3 empfangen, 0% Paketverlust, Zeit 9ms"),
    FakePing(name: "silent", script: "exit 126", words: "exit status 126"),
    FakePing(
      name: "without a socket", script: "echo 'ping: socket: Operation not permitted' >&2; exit 2",
      words: "socket: Operation not permitted"),
    FakePing(
      name: "interrupted",
      script: "echo '1 packets transmitted, 0 received, 100% packet loss, time 0ms'; exit 1",
      words: "it sent 1 of 3 requests"),
    FakePing(
      name: "killed", script: "echo '3 packets transmitted, 0 received, 100% packet loss'; kill -9 $$",
      words: "it failed: killed by signal 9"),
    FakePing(name: "missing", script: nil, words: "ping is not installed (package iputils-ping)"),
  ]

  @Test(arguments: fakes)
  func `Where ping cannot be used, netlab's own echo decides, and says so`(ping: FakePing) async throws {
    let note = "(netlab's own echo: ping cannot be used: \(ping.words))"
    try await withLab(FourVMs(), .linuxbridge) { lab in
      try await lab.withTools(["ping": ping.script]) { lab in
        let reached = try await lab.failure(of: Unreachable(from: "a", to: "b"))
        #expect(reached.seen.hasPrefix("3 of 3 replies, "))
        #expect(reached.seen.hasSuffix(note), "\(reached.seen)")
        let silent = try await lab.passes(Unreachable(from: "a", to: "10.77.0.99"))
        #expect(silent == "no reply within 300 ms \(note)")
        #expect(try await lab.passes(Ping(from: "a", to: "fd77::2")).hasSuffix(note))
        let lost = try await lab.failure(of: Ping(from: "a", to: "10.77.0.99"))
        #expect(lost.seen == "0 of 3 replies \(note)")
        let captured = try await lab.failure(
          of: Capture(at: "b", filter: "icmp") { Unreachable(from: "a", to: "b") }.sees(.nothing))
        #expect(captured.expected == "the traffic to pass: unreachable a → b: no reply from 10.77.0.2")
      }
    }
  }

  @Test func `With ping as it should be, nothing is said of another echo`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      #expect(try await lab.passes(Unreachable(from: "a", to: "10.77.0.99")) == "no reply within 300 ms")
      // Ping ends here without a summary, but says what the kernel says.
      #expect(try await lab.passes(Unreachable(from: "a", to: "d")) == "no reply: Network is unreachable")
      let answered = try await lab.passes(Ping(from: "a", to: "b"))
      #expect(!answered.contains("netlab"))
    }
  }

  @Test func `The own echo has ping's sizes and forbids fragments`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      try await lab.withTools(["ping": nil]) { lab in
        for (target, size) in [("10.77.0.2", 1472), ("fd77::2", 1452)] {
          _ = try await lab.passes(Ping(from: "a", to: target, size: size, dontFragment: true))
          let text = try await lab.passes(
            Unreachable(from: "a", to: target, size: size + 1, dontFragment: true))
          #expect(text.hasPrefix("no reply: Message too long (netlab's own echo: "), "\(text)")
          _ = try await lab.passes(Ping(from: "a", to: target, size: size + 1))
          _ = try await lab.passes(Ping(from: "a", to: target, count: 200, size: 1001))
        }
      }
    }
  }

  /// Ping asks whether that is meant. No VM answers a broadcast, unless it is told to.
  @Test func `A broadcast is really sent`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let check = Unreachable(from: "a", to: "10.77.0.255")
      #expect(try await lab.passes(check).hasPrefix("no reply within 300 ms (netlab's own echo: ping cannot"))
      let seen = Capture(at: "b", filter: "icmp") { check }.sees(.exactly(3))
      #expect(try await lab.passes(seen) == "saw 3 packets")
      try await lab.run("sysctl -q net.ipv4.icmp_echo_ignore_broadcasts=0", on: "b")
      #expect(try await lab.failure(of: check).seen.hasPrefix("3 of 3 replies"))
    }
  }

  @Test func `Where neither can be used, it could not be determined`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      try await lab.withTools(["ping": nil]) { lab in
        let check = Unreachable(from: "a", to: "b", size: 8)
        let problem = try await lab.doubt(about: check)
        #expect(problem.expected == "3 echo requests from a to 10.77.0.2")
        #expect(problem.seen.contains("ping is not installed"), "\(problem.seen)")
        #expect(problem.seen.contains("netlab's own echo: send 8 bytes: "), "\(problem.seen)")
        let capture = try await lab.doubt(about: Capture(at: "b") { check }.sees(.nothing))
        #expect(capture.expected == "the traffic to pass: unreachable a → b, 8 bytes: \(problem.expected)")
        // What fails is told before what is not known.
        let both = Capture(at: "b") {
          check
          Ping(from: "a", to: "d")
        }
        #expect(try await lab.failure(of: both).expected.hasPrefix("the traffic to pass: ping a → d"))
      }
      // Control: with a ping, it is known.
      _ = try await lab.failure(of: Unreachable(from: "a", to: "b", size: 8))
    }
  }

  @Test func `A program that cannot run decides nothing`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let capture = Capture(at: "b", filter: "udp") { Ping(from: "a", to: "b") }.sees(.nothing)
      let trace = Traceroute(from: "a", to: "b").hops(2)
      let usage = "echo 'usage: it has other options' >&2; exit 1"
      for script in [nil, usage] {
        try await lab.withTools(["tcpdump": script, "traceroute": script]) { lab in
          #expect(try await lab.doubt(about: capture).expected == "tcpdump to listen on b:eth0")
          let problem = try await lab.doubt(about: trace)
          #expect(problem.expected == "10.77.0.2 after 2 hops")
          #expect(problem.seen.hasPrefix("traceroute cannot be used: "), "\(problem.seen)")
        }
      }
      #expect(try await lab.doubt(about: Run(on: "a", "no-such-command")).seen.contains("No such file"))
      #expect(try await lab.passes(capture) == "saw nothing")
      #expect(try await lab.failure(of: trace).seen == "1 hop: 10.77.0.2")
    }
  }

  /// Kernels limit the ICMP errors that they send to one address to six in a row, then one a second.
  @Test func `Ten traceroutes in a row get their answers`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let checks = (0..<10).map { _ in Check(Traceroute(from: "a", to: "b")) }
      let results = try await lab.runner.run(checks)
      #expect(results.compactMap { $0.problem?.seen } == [])
      // Control: it is one hop, also when the first answer does not come at once.
      let wrong = try await lab.failure(of: Traceroute(from: "a", to: "b").hops(2))
      #expect(wrong.seen == "1 hop: 10.77.0.2")
    }
  }

  /// All that would make traffic says nothing about this lab.
  @Test func `A capture around what is skipped is skipped`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let result = try await lab.result(of: Capture(at: "c") { SameTag("a", "b") }.sees(.nothing))
      guard case .skipped = result.outcome else {
        Issue.record("\(result.outcome)")
        return
      }
    }
  }

  @Test func `The worst result decides`() {
    func verdict(_ outcomes: CheckResult.Outcome..., allowEmpty: Bool = false) -> Int32 {
      let results = outcomes.map {
        CheckResult(check: Check(Ping(from: "a", to: "b")), outcome: $0, duration: .zero)
      }
      return Verdict(results, allowEmpty: allowEmpty).exitCode
    }
    let passed = CheckResult.Outcome.passed(detail: "")
    let failed = CheckResult.Outcome.failed(Failure(expected: "", seen: ""))
    let undetermined = CheckResult.Outcome.undetermined(.unproven("", ""))
    let skipped = CheckResult.Outcome.skipped(reason: "")
    #expect(verdict(passed, skipped) == 0)
    #expect(verdict(passed, undetermined, failed) == 1)
    #expect(verdict(passed, undetermined) == 3)
    #expect(verdict(undetermined, allowEmpty: true) == 3)
    #expect(verdict() == 3)
    #expect(verdict(skipped) == 3)
    #expect(verdict(skipped, allowEmpty: true) == 0)
  }
}

extension RunningLab {
  /// The same lab for checks that find these programs before, or in place of, the machine's: scripts, or `nil` for none.
  func withTools(_ tools: [String: String?], _ body: (RunningLab) async throws -> Void) async throws {
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    for tool in CheckTool.allCases {
      switch tools[tool.rawValue] {
      case nil:
        let program = try #require(InstalledProgram(tool.rawValue, in: CheckTool.searchPath))
        try #require(unsafe symlink(program.path, "\(folder)/\(tool.rawValue)") == 0)
      case .some(nil): break
      case .some(let script?):
        try Files.write(
          Array("#!/bin/sh\n\(script)\n".utf8), to: "\(folder)/\(tool.rawValue)", permissions: 0o755)
      }
    }
    var lab = self
    lab.processes.toolPath = folder
    try await body(lab)
  }

  /// Why it could not be determined whether a check holds; the test fails when it could.
  func doubt(
    about check: some CheckValue, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws -> Failure {
    let result = try await result(of: check)
    guard case .undetermined(let problem) = result.outcome else {
      Issue.record("\(result.title): \(result.outcome)", sourceLocation: sourceLocation)
      return .unproven("", "")
    }
    return problem
  }
}
