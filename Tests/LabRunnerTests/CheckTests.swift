import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// Every check on a lab as it should be, and on one that was broken. What needs VLANs is in files of its own.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6)) struct CheckTests {
  @Test func ping() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let detail = try await lab.passes(Ping(from: "a", to: "b"))
      #expect(detail.hasPrefix("3 of 3 replies, "))
      _ = try await lab.passes(
        Ping(from: "a", to: "fd77::2", size: 1452, dontFragment: true, within: .seconds(1)))

      // More than are sent at once.
      #expect(try await lab.passes(Ping(from: "a", to: "b", count: 120)).hasPrefix("120 of 120 replies, "))
      _ = try await lab.passes(Ping(from: "a", to: "b", count: 3, size: 65_000))

      let tooFast = try await lab.failure(of: Ping(from: "a", to: "b", within: .microseconds(1)))
      #expect(tooFast.expected == "3 of 3 replies from 10.77.0.2, within 1 µs on average")
      #expect(tooFast.seen.hasPrefix("3 of 3 replies, "))

      let tooLarge = try await lab.failure(of: Ping(from: "a", to: "b", size: 1473, dontFragment: true))
      #expect(tooLarge.expected == "3 of 3 replies from 10.77.0.2")
      #expect(tooLarge.seen == "0 of 3 replies: local error: message too long, mtu=1500")

      let noRoute = try await lab.failure(of: Ping(from: "a", to: "d"))
      #expect(noRoute.seen == "0 of 3 replies: Network is unreachable")

      try await lab.run("ip link set eth0 down", on: "b")
      let silent = try await lab.failure(of: Ping(from: "a", to: "b"))
      #expect(silent.expected == "3 of 3 replies from 10.77.0.2")
      #expect(silent.seen == "0 of 3 replies")
      #expect(silent.details.contains { $0.contains("100% packet loss") })
    }
  }

  /// A path that loses every second packet passes only where that is allowed.
  @Test func pingLoss() async throws {
    let summary = PingSummary(
      lines: [
        "10 packets transmitted, 7 received, 30% packet loss, time 92ms",
        "rtt min/avg/max/mdev = 0.029/0.041/0.060/0.013 ms",
      ], status: .exited(0))
    #expect(summary.received == 7)
    #expect(summary.text(of: 10) == "7 of 10 replies, 41 µs on average")
    #expect(Ping(from: "a", to: "b", count: 10, loss: 30).failure(for: summary, target: "x") == nil)
    let failure = Ping(from: "a", to: "b", count: 10, loss: 29).failure(for: summary, target: "x")
    #expect(failure?.expected == "10 of 10 replies from x, or at most 29% lost")
    #expect(failure?.seen == "7 of 10 replies, 41 µs on average")

    func why(_ ping: Ping) -> String? { ping.failure(for: summary, target: "x")?.expected }
    let ping = Ping(from: "a", to: "b", count: 10)
    #expect(why(ping.loses(30...30)) == nil)
    #expect(why(ping.loses(10...)) == nil)
    #expect(why(ping.loses(...30)) == nil)
    #expect(why(ping.loses(31...40)) == "31% to 40% of 10 requests to x lost")
    #expect(why(ping.loses(10...29)) == "10% to 29% of 10 requests to x lost")
    #expect(why(ping.loses(...29)) == "0% to 29% of 10 requests to x lost")
  }

  /// How long a round trip takes, at least and at most.
  @Test func pingTime() async throws {
    let summary = PingSummary(
      lines: [
        "3 packets transmitted, 3 received, 0% packet loss, time 92ms",
        "rtt min/avg/max/mdev = 19.029/20.041/21.060/0.013 ms",
      ], status: .exited(0))
    func why(_ ping: Ping) -> String? { ping.failure(for: summary, target: "x")?.expected }
    let ping = Ping(from: "a", to: "b")
    #expect(why(ping.takes(.milliseconds(20)...)) == nil)
    #expect(why(ping.takes(.milliseconds(20)...(.milliseconds(21)))) == nil)
    #expect(why(ping.takes(...(.milliseconds(21)))) == nil)
    #expect(why(ping.takes(.milliseconds(21)...)) == "3 of 3 replies from x, in at least 21000 µs on average")
    #expect(
      why(ping.takes(.milliseconds(19)...(.milliseconds(20))))
        == "3 of 3 replies from x, in 19000 to 20000 µs on average")
    #expect(why(ping.takes(...(.milliseconds(20)))) == "3 of 3 replies from x, in 0 to 20000 µs on average")
  }

  @Test func unreachable() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let noRoute = try await lab.passes(Unreachable(from: "a", to: "d"))
      #expect(noRoute == "no reply: Network is unreachable")
      let tooLarge = try await lab.passes(Unreachable(from: "a", to: "b", size: 1473, dontFragment: true))
      #expect(tooLarge == "no reply: local error: message too long, mtu=1500")
      let silent = try await lab.passes(Unreachable(from: "a", to: "10.77.0.99"))
      #expect(silent == "no reply within 300 ms")

      let answered = try await lab.failure(of: Unreachable(from: "a", to: "b"))
      #expect(answered.expected == "no reply from 10.77.0.2")
      #expect(answered.seen.hasPrefix("3 of 3 replies, "))

      try await lab.run("ip address del 10.77.0.1/24 dev eth0", on: "a")
      let noAddress = try await lab.failure(of: Unreachable(from: "a", to: "b"))
      #expect(noAddress.expected == "10.77.0.1/24 on a's own interface eth0")
      #expect(noAddress.seen == "it is not there, so that no reply proves nothing")
      try await lab.run("ip address add 10.77.0.1/24 dev eth0", on: "a")

      // The other end of the sender's cable: its interface is up, without a carrier.
      try await lab.run("ip link set \(DeviceName.tap(lab.port("a"))) down", on: "host")
      let noCarrier = try await lab.failure(of: Unreachable(from: "a", to: "d"))
      #expect(noCarrier.expected == "a's own interface eth0 up and with a carrier")
      #expect(noCarrier.seen == "it is without a carrier, so that no reply proves nothing")
      try await lab.run("ip link set eth0 down", on: "a")
      let down = try await lab.failure(of: Unreachable(from: "a", to: "b"))
      #expect(down.seen == "it is down, so that no reply proves nothing")
    }
  }

  @Test func capture() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let pings = { (sighting: Sighting, filter: String) in
        Capture(at: "b", filter: filter) { Ping(from: "a", to: "b", count: 3) }.sees(sighting)
      }
      #expect(try await lab.passes(pings(.exactly(6), "icmp")) == "saw 6 packets")
      #expect(try await lab.passes(pings(.atLeast(1), "icmp or (vlan and icmp)")) == "saw 6 packets")
      #expect(try await lab.passes(pings(.nothing, "udp")) == "saw nothing")
      #expect(try await lab.passes(pings(.exactly(6), "icmp")) == "saw 6 packets")
      #expect(try Files.list(lab.captures) == [])

      let tooMany = try await lab.failure(of: pings(.nothing, "icmp"))
      #expect(tooMany.expected == "nothing at b:eth0 with the filter 'icmp'")
      #expect(tooMany.seen == "6 packets")
      #expect(tooMany.details.count == 6)
      #expect(tooMany.details.first?.contains("10.77.0.1 > 10.77.0.2: ICMP echo request") == true)
      let kept = try #require(tooMany.capture)
      #expect(kept.hasPrefix(lab.captures + "/"))
      let read = try await netlab.run(["tcpdump", "-n", "-r", kept, "icmp"])
      #expect(read.output.split(separator: "\n").count == 6, "\(read.errorOutput)")

      let tooFew = try await lab.failure(of: pings(.exactly(7), "icmp"))
      #expect(tooFew.expected == "exactly 7 packets at b:eth0 with the filter 'icmp'")
      #expect(tooFew.seen == "6 packets")
      let none = try await lab.failure(of: pings(.atLeast(1), "udp"))
      #expect(none.seen == "nothing")
    }
  }

  /// A stimulus that fails, a filter that tcpdump refuses, a device that is down: nothing is proved then.
  @Test func captureThatProvesNothing() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let silent = try await lab.failure(
        of: Capture(at: "b", filter: "icmp") { Ping(from: "a", to: "d") }.sees(.nothing))
      #expect(silent.expected == "the traffic to pass: ping a → d: 3 of 3 replies from 10.78.0.4")
      #expect(silent.seen == "0 of 3 replies: Network is unreachable")

      let refused = try await lab.doubt(
        about: Capture(at: "b", filter: "icmp und") { Ping(from: "a", to: "b") })
      #expect(refused.expected == "tcpdump to listen on b:eth0")
      #expect(refused.seen.contains("syntax error"))

      let missing = try await lab.failure(
        of: Capture(at: VM("b").device("eth7")) { Ping(from: "a", to: "b") }.sees(.nothing))
      #expect(missing.expected.hasPrefix("a device eth7 in "))

      // The capture ends in the middle: a link that goes down takes tcpdump with it.
      let interrupted = try await lab.failure(
        of: Capture(at: "c") { Run(on: "c", "ip", "link", "set", "eth0", "down") }.sees(.nothing))
      #expect(interrupted.expected.contains("c:eth0"), "\(interrupted)")
      let down = try await lab.failure(of: Capture(at: "c") { Ping(from: "a", to: "b") }.sees(.nothing))
      #expect(down.expected == "tcpdump to listen on c:eth0", "\(down)")
    }
  }

  @Test func captureInsideACapture() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let inner = Capture(at: "b", filter: "icmp") { Ping(from: "a", to: "b", count: 1) }.sees(.exactly(2))
      _ = try await lab.passes(Capture(at: "b", filter: "icmp") { inner }.sees(.exactly(2)))
    }
  }

  @Test func captureFilters() async {
    #expect(await CaptureFilter.problem(of: "icmp or (vlan 5 and arp)", processes: netlab) == nil)
    #expect(await CaptureFilter.problem(of: "", processes: netlab) == nil)
    let problem = await CaptureFilter.problem(of: "icmp und", processes: netlab)
    #expect(problem?.contains("syntax error") == true)
    #expect(await CaptureFilter.problem(of: "-r /etc/passwd", processes: netlab) != nil)
  }

  @Test func missingTools() throws {
    let checks =
      Capture(at: "b") { Ping(from: "a", to: "b") }.checkGroup.checkList
      + SameTag("a", "b").checkGroup.checkList
    try checks.requireTools()
    try SameTag("a", "b").checkGroup.checkList.requireTools(in: "/nowhere")
    let error = #expect(throws: RunnerError.self) {
      try checks.requireTools(in: "/nowhere:/etc")
    }
    #expect(error?.kind == .environment)
    // Ping is not among them: netlab has an echo of its own.
    #expect(error?.message == "the checks of this lab need tcpdump")
    #expect(error?.remedy == "Install what is missing: apt-get install tcpdump")
  }

  @Test func traceroute() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      #expect(try await lab.passes(Traceroute(from: "a", to: "b")) == "10.77.0.2")
      #expect(try await lab.passes(Traceroute(from: "a", to: "fd77::2")) == "fd77::2")
      let shorter = try await lab.failure(of: Traceroute(from: "a", to: "b").hops(2))
      #expect(shorter.expected == "10.77.0.2 after 2 hops")
      #expect(shorter.seen == "1 hop: 10.77.0.2")
      let noRoute = try await lab.failure(of: Traceroute(from: "a", to: "d"))
      #expect(noRoute.seen.contains("Network is unreachable"), "\(noRoute)")

      // c becomes a router on the way.
      try await lab.run("sysctl -q net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0", on: "c")
      try await lab.run("sysctl -q net.ipv4.conf.eth0.send_redirects=0", on: "c")
      try await lab.run("ip route add 10.77.0.2 via 10.77.0.3", on: "a")
      let longer = try await lab.failure(of: Traceroute(from: "a", to: "b"))
      #expect(longer.seen == "2 hops: 10.77.0.3 → 10.77.0.2")
      #expect(try await lab.passes(Traceroute(from: "a", to: "b").hops(2)) == "10.77.0.3 → 10.77.0.2")

      try await lab.run("ip link set eth0 down", on: "b")
      let silent = try await lab.failure(of: Traceroute(from: "c", to: "b"))
      #expect(silent.expected == "10.77.0.2 after 1 hop")
      #expect(silent.seen.hasPrefix("it is not among the first 3: "), "\(silent)")
    }
  }

  @Test func tcp() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      for target in ["b", "fd77::2"] {
        // Again at once: the port of the first must not be in the way.
        for _ in 0..<2 {
          let detail = try await lab.passes(TCP(from: "a", to: target, port: 80, listening: .byCheck))
          #expect(detail == "connected, bytes went both ways")
        }
      }
      let noRoute = try await lab.failure(of: TCP(from: "a", to: "d", port: 80, listening: .byCheck))
      #expect(noRoute.expected == "TCP port 80 of 10.78.0.4 to be reached, and bytes to go both ways")
      #expect(noRoute.seen == "connecting: Network is unreachable")
      // An address that the lab does not know: nothing is served there.
      try await lab.run("ip address add 10.77.0.50/24 dev eth0", on: "b")
      let refused = try await lab.failure(of: TCP(from: "a", to: "10.77.0.50", port: 81, listening: .byCheck))
      #expect(refused.seen == "connecting: refused: Connection refused")

      try await lab.run("ip address del 10.77.0.2/24 dev eth0", on: "b")
      let absent = try await lab.failure(of: TCP(from: "a", to: "b", port: 80, listening: .byCheck))
      #expect(absent.seen == "listening on 10.77.0.2 port 80: Cannot assign requested address")
      try await lab.run("ip address add 10.77.0.2/24 dev eth0", on: "b")
      try await lab.run("ip link set eth0 down", on: "b")
      let silent = try await lab.failure(of: TCP(from: "a", to: "b", port: 80, listening: .byCheck))
      #expect(silent.seen == "connecting: no answer within 1000 ms")
    }
  }

  @Test func neighbour() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let mac = try lab.port("b").mac
      #expect(try await lab.passes(Neighbour(of: "a", for: "b")) == "10.77.0.2 is at \(mac)")
      #expect(try await lab.passes(Neighbour(of: "a", for: "fd77::2")) == "fd77::2 is at \(mac)")

      try await lab.run("ip link set eth0 address fa:16:3e:00:00:99", on: "b")
      // The kernel goes on believing what it learned before, and does not ask again however long this takes.
      try await lab.run("sysctl -q net.ipv4.neigh.eth0.delay_first_probe_time=3600", on: "a")
      try await lab.run("ip neighbour replace 10.77.0.2 lladdr \(mac) dev eth0 nud stale", on: "a")
      let old = try await lab.failure(of: Neighbour(of: "a", for: "b"))
      #expect(old.seen == "it is at \(mac), where nobody answers")
      try await lab.run("ip neighbour flush dev eth0", on: "a")
      let wrong = try await lab.failure(of: Neighbour(of: "a", for: "b"))
      #expect(wrong.expected == "10.77.0.2 at \(mac) in the neighbour table of a")
      #expect(wrong.seen == "it is at fa:16:3e:00:00:99")

      try await lab.run("ip link set eth0 down", on: "b")
      try await lab.run("ip neighbour flush dev eth0", on: "a")
      let silent = try await lab.failure(of: Neighbour(of: "a", for: "b"))
      #expect(silent.seen == "no answer to who has it")
      let elsewhere = try await lab.failure(of: Neighbour(of: "a", for: "d"))
      #expect(elsewhere.seen == "no entry")
    }
  }

  @Test func run() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      _ = try await lab.passes(Run(on: "a", "ip", "-o", "address", output: .contains("10.77.0.1/24")))
      _ = try await lab.passes(Run(on: "a", "printf", "one\ntwo\n", output: .matches("^t.o$")))
      _ = try await lab.passes(Run(on: "host", "false", status: 1))

      let status = try await lab.failure(of: Run(on: "a", "sh", "-c", "echo out; echo err >&2; exit 3"))
      #expect(status.expected == "exit status 0")
      #expect(status.seen == "exit status 3")
      #expect(status.details == ["out", "err"])
      let text = try await lab.failure(of: Run(on: "a", "echo", "out", output: .contains("in")))
      #expect(text.expected == "'in' in the output")
      #expect(text.details == ["out"])
      let pattern = try await lab.failure(of: Run(on: "a", "echo", "out", output: .matches("^u")))
      #expect(pattern.expected == "a match of /^u/ in the output")
      let missing = try await lab.failure(of: Run(on: "a", "sh", "-c", "exit 127"))
      #expect(missing.seen == "exit status 127")
    }
  }

  /// Results come in the lab's order, a failure stops nobody, and each is reported once.
  @Test func allTogether() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let checks: [Check] = [
        Check(Capture(at: "b", filter: "icmp") { Ping(from: "a", to: "b", count: 1) }.sees(.exactly(2))),
        Check(Ping(from: "a", to: "d")), Check(SameTag("a", "b")),
        Check(Unreachable(from: "a", to: "10.77.0.99")), Check(Ping(from: "c", to: "b")),
      ]
      let titles = AsyncStream.makeStream(of: String.self)
      let results = try await lab.runner.run(checks) { titles.continuation.yield($0.title) }
      titles.continuation.finish()
      let reported = await titles.stream.reduce(into: [String]()) { $0.append($1) }
      #expect(results.map(\.title) == checks.map(\.value.title))
      #expect(reported.sorted() == results.map(\.title).sorted())
      // What counts packets runs when nothing else does.
      #expect(reported.last == checks[0].value.title)
      let outcomes = results.map { result in
        switch result.outcome {
        case .passed: "passed"
        case .failed: "failed"
        case .undetermined: "undetermined"
        case .skipped(let reason): reason
        }
      }
      #expect(outcomes == ["passed", "failed", "the linuxbridge datapath has no tags", "passed", "passed"])
    }
  }

  @Test func cancellation() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let (started, start) = AsyncStream.makeStream(of: Void.self)
      let checks =
        Run(on: "a", "true").checkGroup.checkList + Run(on: "a", "sleep", "1000").checkGroup.checkList
      let task = Task { try await lab.runner.run(checks) { _ in start.yield() } }
      for await _ in started { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }
}
