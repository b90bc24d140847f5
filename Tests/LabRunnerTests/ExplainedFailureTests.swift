import Synchronization
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

/// Checks that fail say which hop ate the packet.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6), .serialized) struct ExplainedFailureTests {
  /// A fault, and a check of the lab's own that suffers from it.
  private struct Suffering {
    var fault: Fault
    var check: any CheckValue
  }

  private static let sufferings = [
    Suffering(
      fault: Fault(
        "tap of the receiver down", [("host", "ip link set {tap:b} down")], at: "host", "{tap:b}",
        is: .deviceDown), check: Ping(from: "a", to: "b", count: 1)),
    Suffering(
      fault: Fault(
        "TCP dropped on the host",
        [
          (
            "host",
            "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority -200; }; add rule bridge t c tcp dport 22 drop'"
          )
        ], at: "host", is: .netfilter), check: TCP(from: "a", to: "b", port: 22, listening: .byCheck)),
    Suffering(
      fault: Fault(
        "UDP dropped on the host",
        [
          (
            "host",
            "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority -200; }; add rule bridge t c ip protocol udp drop'"
          )
        ], at: "host", is: .netfilter), check: Traceroute(from: "a", to: "b")),
    Suffering(
      fault: Fault(
        "wrong MAC", [("b", "ip link set eth0 address 02:00:00:00:00:99"), ("a", "ip neigh flush dev eth0")],
        at: "b", "eth0", is: .drift),
      check: Neighbour(of: "a", for: "b")),
    Suffering(
      fault: Fault(
        "tap off its bridge", [("host", "ip link set {tap:c} nomaster")], at: "host", "{tap:c}",
        is: .notABridgePort), check: AllPairs()),
    Suffering(
      fault: Fault("eth0 down", [("b", "ip link set eth0 down")], at: "b", "eth0", is: .deviceDown),
      check: Reachable("a", "b")),
    Suffering(
      fault: Fault(
        "IPv6 off", [("b", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")], at: "b", "eth0",
        is: .ipv6Disabled, .addressNotLocal), check: Ping(from: "a", to: "fd77::2", count: 1)),
    Suffering(
      fault: Fault(
        "MTU of the receiver", [("b", "ip link set eth0 mtu 1400")], at: "b", "eth0", is: .mtuExceeded),
      check: Ping(from: "a", to: "b", count: 1, size: 1472, dontFragment: true)),
    Suffering(
      fault: Fault(
        "the traffic of a capture is lost", [("host", "ip link set {tap:b} down")], at: "host", "{tap:b}",
        is: .deviceDown), check: Capture(at: "a", filter: "icmp") { Ping(from: "a", to: "b", count: 1) }),
    Suffering(
      fault: Fault(
        "a capture on a device that is down", [("host", "ip link set {tap:c} down")], at: "host", "{tap:c}",
        is: .drift),
      check: Capture(at: VM("c").tap, filter: "arp") { Ping(from: "a", to: "b", count: 1) }),
    Suffering(
      fault: Fault(
        "a sender that cannot send", [("a", "ip link set eth0 down")], at: "a", "eth0", is: .deviceDown),
      check: Unreachable(from: "a", to: "10.77.0.99")),
    Suffering(
      fault: Fault(
        "flooding to a VM off its bridge", [("host", "ip link set {tap:c} nomaster")], at: "host", "{tap:c}",
        is: .drift), check: NotFlooded(from: "a", to: "b", observer: "c")),
  ]

  @Test(arguments: sufferings.indices) func culprit(number: Int) async throws {
    let (fault, check) = (Self.sufferings[number].fault, Self.sufferings[number].check)
    try await withLab(FourVMs(), bestDatapath) { running in
      _ = try await running.passes(check)
      try await running.inject(fault)
      let failure = try await running.failure(of: check)
      let explanation = try #require(failure.explanation, "\(fault): \(failure)")
      #expect(explanation.isFault && explanation.trace != nil, "\(fault): \(explanation.text())")
      let named = try #require(explanation.fault, "\(fault): \(explanation.culprit)")
      #expect(named.namespace == running.lab.namespace(of: fault.node), "\(fault): \(explanation.text())")
      #expect(fault.reasons.contains(named.reason), "\(fault): \(explanation.text())")
      if let device = fault.devices.first {
        #expect(named.device == running.expand(device), "\(fault): \(explanation.text())")
        #expect(explanation.culprit.contains(running.expand(device)), "\(fault): \(explanation.culprit)")
      }
      #expect(!explanation.culprit.contains("\n"))
    }
  }

  /// Packets that arrive where they must not: the trace of the way that lets them through, and the drift behind it.
  @Test func arrival() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      try await running.run("ip route add 10.78.0.0/24 dev eth0", on: "a")
      try await running.run("ip route add 10.77.0.0/24 dev eth0", on: "d")
      _ = try await running.passes(Unreachable(from: "a", to: "d"))
      let device = running.expand(bestDatapath == .hybrid ? "{qvo:d}" : "{tap:d}")
      if bestDatapath == .hybrid {
        try await running.run("bridge vlan delete dev \(device) vid 2", on: "host")
        try await running.run("bridge vlan add dev \(device) vid 1 pvid untagged", on: "host")
      } else {
        try await running.run("ip link set \(device) master \(running.expand("{brq:a}"))", on: "host")
      }
      try await running.run("ip neighbour flush dev eth0", on: "a")
      for check in [Unreachable(from: "a", to: "d").checkGroup.checkList[0], Check(AllPairs())] {
        let result = try #require(try await running.runner.run([check]).first)
        let explanation = try #require(result.failure?.explanation, "\(result.outcome)")
        #expect(explanation.fault?.device == device, "\(explanation.text())")
        #expect(
          explanation.trace?.isDelivered == true || check == Check(AllPairs()), "\(explanation.text())")
        #expect(
          explanation.repair.count > 0 && explanation.culprit.contains("wants"), "\(explanation.text())")
      }
    }
  }

  /// Where nothing is wrong with the lab, the explanation says so: the check wants what the lab does not do.
  @Test func expectationsThatAreWrong() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      func culprit(_ check: some CheckValue) async throws -> String {
        let explanation = try #require(try await running.failure(of: check).explanation)
        #expect(!explanation.isFault && explanation.fault == nil, "\(explanation.text())")
        return explanation.culprit
      }
      let ping = Ping(from: "a", to: "b", count: 1)
      let elsewhere = try await culprit(Capture(at: "c", filter: "icmp") { ping })
      #expect(elsewhere == "no fault found: the way of the packets does not lead by eth0 of c")
      let unwanted = try await culprit(Capture(at: "b", filter: "icmp") { ping }.sees(.nothing))
      #expect(unwanted == "no fault found: the packets pass eth0 of b without a tag")
      let reached = try await culprit(Unreachable(from: "a", to: "b"))
      #expect(
        reached.hasPrefix(
          "nothing stands in the way: a reaches 10.77.0.2 by eth0, \(running.expand("{tap:a}"))"),
        "\(reached)")
    }
  }

  /// A check that is not about packets, or whose packets arrived, has no explanation.
  @Test func otherReasons() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      try await running.run("ip link set \(running.expand("{tap:b}")) down", on: "host")
      #expect(try await running.failure(of: Run(on: "a", "false")).explanation == nil)
      #expect(
        try await running.failure(of: Ping(from: "a", to: "c", within: .microseconds(1))).explanation == nil)
      let results = try await running.runner.run([
        Check(Run(on: "a", "true")), Check(Ping(from: "a", to: "b", count: 1)),
        Check(Ping(from: "a", to: "c", count: 1)),
      ])
      #expect(results.map { $0.failure != nil } == [false, true, false])
      #expect(results[1].failure?.explanation?.fault?.reason == .deviceDown)
    }
  }

  /// Each result is reported once, with its explanation.
  @Test func reports() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      try await running.run("ip link set \(running.expand("{tap:b}")) down", on: "host")
      let pings: [Check] = ["b", "c", "b"].map { Check(Ping(from: "a", to: $0, count: 1)) }
      let reported = Reported()
      _ = try await running.runner.run(pings + [Check(AllPairs())]) { reported.add($0) }
      let seen = reported.results
      #expect(seen.count == 4)
      #expect(seen.first?.failure == nil)
      #expect(seen.dropFirst().allSatisfy { $0.failure?.explanation != nil })
    }
  }

  /// Checks of a loop stand on one line, and each keeps its own packets.
  @Test func keptCaptures() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      let checks = ["arp", "icmp"].flatMap { filter in
        Capture(at: "c", filter: filter) { Ping(from: "a", to: "b", count: 1) }.sees(.exactly(9)).checkGroup
          .checkList
      }
      let files = try await running.runner.run(checks).map { $0.failure?.capture ?? "" }
      #expect(Set(files).count == 2 && files.allSatisfy { $0.hasSuffix(".pcap") }, "\(files)")
    }
  }

  /// The kernel says why it dropped what its rules dropped, where it can.
  @Test(.enabled("this kernel does not tell why it drops packets") { DropReasons() != nil })
  func kernelReasons() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      let healthy = try await running.tracer.trace(lab: running.lab.name, from: "a", to: "b")
      #expect(healthy.proof?.kernelReasons == [])
      let table =
        "add table bridge t; add chain bridge t c { type filter hook forward priority -200; }; add rule bridge t c ip protocol icmp drop"
      let result = try await netlab.run(
        ["nft", table], in: "/run/netns/\(running.lab.namespace(of: "host"))")
      try #require(result.status.isSuccess, "\(result.errorOutput)")
      // A busy kernel may drop the packet in a thread of its own, where it is not looked for.
      var culprit = ""
      for _ in 1...20 where !culprit.contains("(the kernel says NETFILTER_DROP in ") {
        culprit = try await Explainer(lab: running.lab.name, tracer: running.tracer).explain(
          from: "a", to: "b"
        ).culprit
      }
      #expect(culprit.contains("(the kernel says NETFILTER_DROP in "), "\(culprit)")
    }
  }

  @Test func kernelReasonsAsTheyArePrinted() {
    let line =
      "  ping-14263 [001] ..s1. 1196.921631: kfree_skb: skbaddr=00000000d6fbd0c1 rx_sk=0000000000000000 protocol=2048 location=nft_do_chain+0x3e8/0x610 reason: NETFILTER_DROP"
    #expect(DropReasons.reason(in: line[...]) == "NETFILTER_DROP in nft_do_chain")
    #expect(DropReasons.reason(in: "# tracer: nop") == nil)
  }

  /// A lab that is not up is no reason to fail otherwise than with a failure.
  @Test func withoutALab() async throws {
    var document = try LabDocument(of: FourVMs(), settings: [])
    document.name = "nowhere"
    let lab = RunningLab(lab: try document.resolved(), captures: "/nowhere")
    let explanation = try await Explainer(lab: "nowhere", tracer: lab.tracer).explain(from: "a", to: "b")
    #expect(explanation.culprit.hasPrefix("no trace: the lab 'nowhere' is not running"))
    #expect(explanation.trace == nil)
  }

  @Test(.needs(.vlanFiltering, .vlanDevices)) func subinterface() async throws {
    try await withLab(TrunkLab(), .hybrid) { running in
      let ping = Ping(from: "b", to: "a", count: 1)
      _ = try await running.passes(ping)
      try await running.run("ip link set eth0.100 down", on: "a")
      let explanation = try #require(try await running.failure(of: ping).explanation)
      #expect(explanation.fault?.device == "eth0.100" && explanation.fault?.reason == .deviceDown)
      #expect(explanation.culprit.hasPrefix("request lost at eth0.100"), "\(explanation.text())")
    }
  }
}

/// The results that a runner reports.
private final class Reported: Sendable {
  private let state = Mutex<[CheckResult]>([])
  var results: [CheckResult] { state.withLock { $0 } }
  func add(_ result: CheckResult) { state.withLock { $0.append(result) } }
}
