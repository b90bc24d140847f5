import Glibc
import Netlink
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

/// Impaired ports in the kernel: made, compared, repaired, and what checks say of them.
@Suite(.needs(.namespaces, .veth, .bridge), .timeLimit(.minutes(5)))
struct ImpairmentTests {
  /// A slow port beside one that is not. tbf is enough for it.
  private struct Slow: Lab {
    let net = Network("net", subnet: "10.82.0.0/24")
    var topology: some Topology {
      Host("host") {
        VM("a").port(on: net).impaired(rate: .megabits(20))
        VM("b").port(on: net)
      }
    }
    var checks: some Checks {
      Rate(from: "a", to: "b", .megabits(15)...(.megabits(20)), lasting: .seconds(1))
    }
  }

  /// One of each kind.
  private struct Bad: Lab {
    let net = Network("net", subnet: "10.83.0.0/24").impaired(delay: .milliseconds(25))
    var topology: some Topology {
      Host("host") {
        VM("a").port(on: net)
        VM("b").port(on: net)
        VM("lossy").port(on: net).impaired(loss: 10, duplicate: 0.1, corrupt: 0, rate: .gigabits(8))
        VM("slow").port(on: net).impaired(rate: .megabits(9.9))
        VM("all").port(on: net).impaired(
          delay: .microseconds(1500), jitter: .microseconds(100), loss: 1, duplicate: 2.5, reorder: 25,
          corrupt: 0.01, rate: .gigabits(50), limit: 777)
      }
    }
  }

  /// Speaks to the kernel in a VM.
  private func change(_ vm: String, of lab: RunningLab, _ body: (inout Batch, Int32) -> Void) throws {
    let name = lab.lab.namespace(of: vm)
    let connection = try #require(try OpenNamespace.open(name)).connection
    let index = try #require(try connection.links().first { $0.name == "eth0" }).index
    var batch = Batch()
    body(&batch, index)
    try connection.run(batch)
  }

  /// What `status` says, before `up` repairs it.
  private func repaired(_ lab: RunningLab) throws -> [String] {
    let lifecycle = Lifecycle()
    let summaries = try lifecycle.status(lab.lab.name).changes.map(\.summary)
    _ = try lifecycle.up(lab.lab, labFile: "test")
    #expect(try lifecycle.isGood(lab.lab.name))
    return summaries
  }

  @Test(.needs(.tbf)) func `A rate is made, kept, repaired and taken away`() async throws {
    try await withLab(Slow(), .linuxbridge) { lab in
      let place = "eth0 in \(lab.lab.namespace(of: "a"))"
      #expect(try Lifecycle().up(lab.lab, labFile: "test").changes.isEmpty)
      #expect(try repaired(lab) == [])

      try change("a", of: lab) { $0.deleteQdisc(ofLink: $1) }
      #expect(try repaired(lab) == ["missing: qdisc tbf of \(place)"])
      try change("a", of: lab) {
        $0.replaceQdisc(
          Netlink.Qdisc(link: $1, kind: .tbf(TokenBucket(rate: 8_000_000, burst: 9000, limit: 9999))))
      }
      #expect(
        try repaired(lab) == [
          "changed: qdisc tbf of \(place): rate is 8mbit, should be 20mbit; burst is 9000, should be 12500; "
            + "limit is 9999, should be 262500"
        ])
      // Another kind in its place is somebody's own, and ours is missing.
      try change("a", of: lab) { $0.replaceQdisc(Netlink.Qdisc(link: $1, kind: .other("pfifo"))) }
      #expect(
        try repaired(lab) == [
          "missing: qdisc tbf of \(place)",
          "unexpected: qdisc dev eth0 root pfifo in \(lab.lab.namespace(of: "a"))",
        ])
      try change("b", of: lab) {
        $0.replaceQdisc(
          Netlink.Qdisc(link: $1, kind: .tbf(TokenBucket(rate: 8_000_000, burst: 9000, limit: 9999))))
      }
      #expect(try repaired(lab) == ["unexpected: qdisc tbf of eth0 in \(lab.lab.namespace(of: "b"))"])

      // A lab that wants it no more.
      var document = lab.lab.document
      document.ports[0].impairment = nil
      let changes = try Lifecycle().up(document, labFile: "test").changes.map(\.summary)
      #expect(changes == ["unexpected: qdisc tbf of \(place)"])
      #expect(try Lifecycle().isGood(document.name))
    }
  }

  @Test(.needs(.tbf)) func `A check measures a rate`() async throws {
    try await withLab(Slow(), .linuxbridge) { lab in
      func rate(_ from: String, _ to: String, _ range: ClosedRange<BitRate>) -> Rate {
        Rate(from: from, to: to, range, lasting: .seconds(1))
      }
      let slow: ClosedRange<BitRate> = .megabits(15)...(.megabits(20))
      #expect(try await lab.passes(rate("a", "b", slow)).contains(" Mbit/s: "))
      // The other direction is as fast as can be.
      let fast = try await lab.failure(of: rate("b", "a", slow))
      #expect(fast.expected == "15 Mbit/s to 20 Mbit/s to arrive at 10.82.0.2")
      #expect(
        try await lab.failure(of: rate("a", "b", .megabits(1)...(.megabits(10)))).seen.contains("bytes in"))
      #expect(try await lab.failure(of: Rate(from: "a", to: "b", .megabits(30)...)).explanation == nil)
      try change("a", of: lab) { $0.deleteQdisc(ofLink: $1) }
      _ = try await lab.failure(of: rate("a", "b", slow))

      try await lab.run("ip link set eth0 down", on: "b")
      let silent = try await lab.failure(of: rate("a", "b", slow))
      #expect(silent.explanation?.culprit.contains("eth0") == true, "\(silent)")
    }
  }

  @Test(.needs(.netem)) func `What a port does to packets is made, kept and repaired`() async throws {
    try await withLab(Bad(), .linuxbridge) { lab in
      #expect(try Lifecycle().up(lab.lab, labFile: "test").changes.isEmpty)
      #expect(lab.lab.blueprint().qdiscs.count == 5)
      let place = "eth0 in \(lab.lab.namespace(of: "a"))"
      try change("a", of: lab) { $0.deleteQdisc(ofLink: $1) }
      #expect(try repaired(lab) == ["missing: qdisc netem of \(place)"])
      try change("a", of: lab) {
        $0.changeQdisc(
          Netlink.Qdisc(link: $1, kind: .netem(Netem(delay: 1000, loss: Netem.Share(percent: 7)))))
      }
      #expect(
        try repaired(lab) == [
          "changed: qdisc netem of \(place): delay is 1us, should be 25ms; loss is 7%, should be none"
        ])
      try change("a", of: lab) {
        $0.replaceQdisc(
          Netlink.Qdisc(link: $1, kind: .tbf(TokenBucket(rate: 8_000_000, burst: 9000, limit: 9999))))
      }
      #expect(try repaired(lab).first?.contains("kind is tbf rate 8mbit") == true)
      // What a lab cannot say.
      try await lab.run("tc qdisc replace dev eth0 root netem delay 25ms loss 5% 50%", on: "a")
      #expect(
        try repaired(lab) == [
          "missing: qdisc netem of \(place)",
          "unexpected: qdisc dev eth0 root netem in \(lab.lab.namespace(of: "a"))",
        ])
    }
  }

  @Test(.needs(.netem)) func `Checks measure delay and loss, and say so when they are gone`() async throws {
    try await withLab(Bad(), .linuxbridge) { lab in
      let slow = Ping(from: "a", to: "b").takes(.milliseconds(50)...(.milliseconds(200)))
      let lossy = Ping(from: "slow", to: "lossy", count: 100).loses(2...25)
      _ = try await lab.passes(slow)
      _ = try await lab.passes(lossy)
      // Loss that nobody allowed is explained by what the lab asks for.
      let failure = try await lab.failure(of: Ping(from: "slow", to: "lossy", count: 100))
      #expect(failure.explanation?.culprit.contains("netem limit 1000 loss 10%") == true, "\(failure)")
      try change("lossy", of: lab) { $0.deleteQdisc(ofLink: $1) }
      try change("a", of: lab) { $0.deleteQdisc(ofLink: $1) }
      #expect(try await lab.failure(of: slow).expected.contains("in 50000 to 200000 µs"))
      #expect(try await lab.failure(of: lossy).seen.hasPrefix("100 of 100 replies"))
      try change("a", of: lab) {
        $0.replaceQdisc(Netlink.Qdisc(link: $1, kind: .netem(Netem(loss: Netem.Share(percent: 100)))))
      }
      let all = try await lab.failure(of: Ping(from: "a", to: "b"))
      #expect(all.explanation?.culprit.contains("eth0") == true, "\(all)")
      #expect(all.explanation?.isFault == true)
    }
  }

  @Test(.enabled(if: KernelProbe.missing([.netem]) == [.netem], "this kernel has netem"))
  func `A kernel without netem says so, and undoes everything`() throws {
    var document = try LabDocument(of: Bad(), settings: [])
    document.name = "t\(UInt32.random(in: 0...(.max)))"
    document.datapath = .linuxbridge
    let before = try Snapshot(of: document.name)
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    #expect(error?.message.hasPrefix("this machine's kernel lacks netem (CONFIG_NET_SCH_NETEM)") == true)
    #expect(error?.remedy?.contains("netlab sandbox") == true)
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test(.needs(.tbf)) func `Without an impairment, a lab's checks notice`() async throws {
    try await withLab(Slow(), .linuxbridge) { lab in
      let lifecycle = Lifecycle()
      let document = try lifecycle.state(of: lab.lab.name).document
      let mutations = Mutation.all(of: lab.lab).filter { $0.title.contains("without tbf") }
      #expect(mutations.map(\.vm) == ["a"])
      let test = try MutationTest(
        document.resolved(), labFile: "test", lifecycle: lifecycle, processes: netlab)
      let results = try await test.run(mutations) { _ in }
      #expect(results.first?.noticedBy?.value is Rate)
      #expect(results.first?.commands == ["tc -n \(lab.lab.namespace(of: "a")) qdisc delete dev eth0 root"])
      #expect(try lifecycle.status(lab.lab.name).changes.isEmpty)
    }
  }
}
