import Glibc
import LabKit
import Netlink
import TestSupport
import Testing
import Values

@testable import LabKernel
@testable import LabLifecycle
@testable import LabMachine
@testable import LabModel

/// What is set on a running lab until the next `up`.
@Suite(.needs(.namespaces, .veth, .bridge, .tbf), .timeLimit(.minutes(5)))
struct RuntimeSettingTests {
  /// A VM with a route and IPv6, which it loses when its link goes down; and a slow one.
  private struct Three: Lab {
    let net = Network("net", subnets: ["10.84.0.0/24", "fd84::/64"])
    var topology: some Topology {
      Host("host") {
        VM("a").port(on: net, routes: [.default(via: "10.84.0.9"), .onLink("fd85::/64")])
        VM("b").port(on: net).impaired(rate: .megabits(20))
      }
    }
  }

  private let slow = {
    var impairment = Impairment(at: SourceLocation(file: "", line: 0, column: 0))
    impairment.rate = .megabits(10)
    return impairment
  }()
  private let words = "tbf rate 10mbit burst 6250 limit 131250"

  @Test func `An impairment is shown, no drift, and cleared by up`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let (lifecycle, name) = (Lifecycle(), lab.lab.name)
      func status() throws -> (drift: [String], runtime: [String]) {
        let status = try lifecycle.status(name)
        return (status.changes.map(\.summary), status.runtime)
      }
      #expect(try status() == ([], []))
      #expect(
        try lifecycle.impair(name, port: "a", by: slow) == [
          "tc -n \(name).a qdisc replace dev eth0 root \(words)"
        ])
      #expect(try status() == ([], ["\(words) on eth0 in \(name).a"]))
      #expect(try lifecycle.impair(name, port: "b:eth0", by: slow).count == 1)
      #expect(try status().drift == [])
      #expect(try status().runtime.count == 2)
      // The same again, and back to what the lab says.
      #expect(try lifecycle.impair(name, port: "a", by: slow) == [])
      #expect(
        try lifecycle.impair(name, port: "a", by: nil) == ["tc -n \(name).a qdisc delete dev eth0 root"])
      #expect(try lifecycle.impair(name, port: "b", by: nil).first?.contains("rate 20mbit") == true)
      #expect(try status() == ([], []))
      #expect(lifecycle.store.runtimeSettings(of: name).isEmpty)
      // Then a change by hand is drift again.
      try await lab.run("tc qdisc add dev eth0 root tbf rate 1mbit burst 9k limit 90k", on: "a")
      #expect(try status() == (["unexpected: qdisc tbf of eth0 in \(name).a"], []))

      try lifecycle.impair(name, port: "a", by: slow)
      let report = try lifecycle.up(lab.lab, labFile: "test")
      #expect(report.cleared == ["\(words) on eth0 in \(name).a"])
      #expect(report.changes.isEmpty)
      #expect(try status() == ([], []))
      #expect(try lifecycle.up(lab.lab, labFile: "test").cleared == [])
    }
  }

  @Test func `A link goes down and up with all that it had`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let (lifecycle, name) = (Lifecycle(), lab.lab.name)
      let ping = Ping(from: "a", to: "b")
      _ = try await lab.passes(ping)
      #expect(try lifecycle.setLink(name, port: "a", .down) == ["ip -n \(name).a link set dev eth0 down"])
      let status = try lifecycle.status(name)
      #expect(status.runtime == ["eth0 in \(name).a is down"])
      #expect(status.changes.map(\.summary) == [])
      _ = try await lab.failure(of: ping)
      #expect(try lifecycle.setLink(name, port: "a", .down) == [])

      let commands = try lifecycle.setLink(name, port: "a", .up)
      #expect(commands.first == "ip -n \(name).a link set dev eth0 up")
      #expect(commands.contains { $0.contains("route add default via 10.84.0.9") })
      #expect(commands.contains { $0.contains("address add fd84::") })
      #expect(try lifecycle.isGood(name))
      #expect(try lifecycle.status(name).runtime == [])
      _ = try await lab.passes(ping)
      _ = try await lab.passes(Ping(from: "b", to: "fd84::2"))

      #expect(try lifecycle.setLink(name, port: "a:eth0", .flap).count >= 4)
      #expect(try lifecycle.isGood(name))
      _ = try await lab.passes(ping)

      // What a person does by hand is drift, as ever, and so is what is no consequence.
      try await lab.run("ip link set eth0 down", on: "b")
      #expect(try lifecycle.status(name).changes.map(\.summary).contains { $0.contains("state is down") })
      try lifecycle.setLink(name, port: "b", .down)
      try await lab.run("ip link set eth0 mtu 1300", on: "b")
      #expect(try lifecycle.status(name).changes.count == 1)
      let report = try lifecycle.up(lab.lab, labFile: "test")
      #expect(report.changes.count == 1)
      #expect(try lifecycle.isGood(name))
    }
  }

  @Test func `A crash between file and kernel makes nobody's work foreign`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let (lifecycle, name) = (Lifecycle(), lab.lab.name)
      func commands() -> [[String]] {
        [
          ["impair", name, "a", "--rate", "10mbit"], ["impair", name, "a", "--rate", "5mbit"],
          ["link", name, "b", "down"], ["link", name, "b", "flap"], ["link", name, "b", "down"],
          ["link", name, "b", "up"], ["impair", name, "a", "--clear"], ["impair", name, "b", "--clear"],
        ]
      }
      let document = try lifecycle.state(of: name).document
      for command in commands() {
        for step in 1...8 {
          let environment = labMark(name).merging(["NETLAB_FAULT": "kill:\(step)"]) { $1 }
          let run = try runProgram([builtProgram("netlab")] + command, environment: environment)
          let status = try lifecycle.status(name)
          #expect(status.changes.map(\.summary) == [], "\(command) \(step)")
          #expect(status.unmanaged.isEmpty && status.foreign.isEmpty)
          tally("crashes survived")
          if run.status == 0 { break }
          try #require(run.status == 128 + 9, "\(command) \(step): \(run.output)\(run.errors)")
          #expect(step < 8)
        }
      }
      #expect(try lifecycle.status(name).state.document == document)
      _ = try lifecycle.up(lab.lab, labFile: "test")
      #expect(try lifecycle.isGood(name))
    }
  }

  @Test func `What the kernel refuses is forgotten`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let name = lab.lab.name
      for step in 1...2 {
        let faults = try #require(Faults("ENOMEM:\(step)"))
        #expect(throws: (any Error).self) { try Lifecycle.with(faults).impair(name, port: "a", by: slow) }
        #expect(Lifecycle().store.runtimeSettings(of: name).isEmpty)
        #expect(try Lifecycle().isGood(name))
      }
      try Lifecycle().impair(name, port: "a", by: slow)
      #expect(!Lifecycle().store.runtimeSettings(of: name).isEmpty)
    }
  }

  @Test(.enabled(if: KernelProbe.missing([.netem]) == [.netem], "this kernel has netem"))
  func `A kernel without netem says so`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let run = try runProgram([builtProgram("netlab"), "impair", lab.lab.name, "a", "--delay", "10ms"])
      #expect(run.status == 3)
      #expect(run.errors.contains("this machine's kernel lacks netem (CONFIG_NET_SCH_NETEM)"))
      #expect(run.errors.contains("netlab sandbox"))
      #expect(try Lifecycle().status(lab.lab.name).runtime == [])
    }
  }

  @Test func `The command line`() async throws {
    try await withLab(Three(), .linuxbridge) { lab in
      let name = lab.lab.name
      func netlab(_ arguments: String...) throws -> ProgramRun {
        try runProgram([builtProgram("netlab")] + arguments)
      }
      let set = try netlab("impair", name, "a", "--rate", "10mbit")
      #expect(set.output.hasSuffix("qdisc replace dev eth0 root \(words)\n"), "\(set)")
      let status = try netlab("status", name)
      #expect(status.status == 0)
      #expect(status.output == "\(name): \(words) on eth0 in \(name).a, set at run time\n\(name): no drift\n")
      #expect(try netlab("link", name, "a", "down").status == 0)
      let up = try netlab("up", name)
      #expect(up.output.contains("cleared, as it was set at run time: eth0 in \(name).a is down\n"))
      #expect(up.output.contains("cleared, as it was set at run time: \(words) on eth0"))
      #expect(try netlab("status", name).output == "\(name): no drift\n")

      let mistakes: [([String], String)] = [
        (["impair", name, "a"], "the impairment says nothing"),
        (["impair", name, "a", "--jitter", "1ms", "--loss", "101"], "jitter without a delay does nothing"),
        (["impair", name, "a", "--loss", "1", "--clear"], "--clear stands alone"),
        (["impair", name, "z", "--clear"], "has no VM 'z'"),
        (["impair", name, "host", "--clear"], "has no VM 'host'"),
        (["impair", name, "a:eth7", "--clear"], "VM 'a' has no port eth7"),
        (["impair", name, "a", "--delay", "10"], "--delay"),
        (["impair", name, "a", "--rate", "x"], "--rate"),
        (["link", name, "a", "sideways"], "sideways"), (["link", "\(name)x", "a", "up"], "is not running"),
      ]
      for (arguments, words) in mistakes {
        let run = try runProgram([builtProgram("netlab")] + arguments)
        #expect(run.status == 2 || run.status == 64, "\(arguments): \(run)")
        #expect(run.errors.contains(words), "\(arguments): \(run.errors)")
      }
      #expect(try Lifecycle().isGood(name))
    }
  }
}
