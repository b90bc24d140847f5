import Glibc
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

/// One way to break a lab, and what the explanation has to say.
struct Fault: CustomStringConvertible {
  var description: String
  /// Node and command; `{tap:b}` is the tap of VM b, `{mac:b}` its MAC.
  var injection: [(node: String, command: String)]
  var node: String
  /// One of these devices has to be named; empty: the node is enough.
  var devices: [String]
  var reasons: Set<DropReason>
  var to = "b"

  init(
    _ description: String, _ injection: [(String, String)], at node: String, _ devices: String...,
    is reasons: DropReason...,
    to: String = "b"
  ) {
    self.description = description
    self.injection = injection.map { (node: $0.0, command: $0.1) }
    (self.node, self.devices, self.reasons, self.to) = (node, devices, Set(reasons), to)
  }
}

extension RunningLab {
  /// Replaces `{qvo:b}` and the like.
  func expand(_ text: String) -> String {
    var text = text
    for vm in lab.vms {
      guard let port = vm.ports.first else { continue }
      let names = [
        "tap": DeviceName.tap(port), "qbr": DeviceName.qbr(port), "qvb": DeviceName.qvb(port),
        "qvo": DeviceName.qvo(port), "mac": "\(port.mac)", "brq": DeviceName.brq(lab.networks[port.network]),
      ]
      for (name, value) in names { text = text.replacing("{\(name):\(vm.name)}", with: value) }
    }
    return text
  }

  var tracer: Tracer { Tracer(runner: netlab) }

  func inject(_ fault: Fault) async throws {
    for (node, command) in fault.injection {
      let result = try await netlab.run(
        ["sh", "-ec", expand(command)], in: "/run/netns/\(lab.namespace(of: node))", timeout: .seconds(20))
      try #require(result.status.isSuccess, "\(fault): \(command): \(result.errorOutput)")
    }
  }
}

/// The fault table: each fault is injected into a lab of its own, and the explanation has to name it.
private func runTable(_ faults: [Fault], in lab: some Lab, _ datapath: Datapath, from: String = "a")
  async throws
{
  var rows: [String] = []
  var right = 0
  for fault in faults {
    try await withLab(lab, datapath) { running in
      try await running.inject(fault)
      let clock = ContinuousClock()
      let start = clock.now
      let explanation = try await Explainer(lab: running.lab.name, tracer: running.tracer).explain(
        from: from, to: fault.to)
      let time = clock.now - start
      let named = explanation.fault
      let node = named.map { String($0.namespace.dropFirst(running.lab.name.count + 1)) } ?? ""
      let isRight =
        explanation.isFault && node == fault.node && named.map { fault.reasons.contains($0.reason) } == true
        && (fault.devices.isEmpty || fault.devices.map(running.expand).contains(named?.device ?? ""))
      if isRight { right += 1 }
      let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
      rows.append(
        "\(isRight ? "✓" : "✗") \(fault) | \(node) \(named?.device ?? "-"), \(named?.reason.rawValue ?? "none") | "
          + "\(milliseconds) ms | \(explanation.culprit.replacing("\(running.lab.name).", with: ""))")
      #expect(isRight, "\(fault): \(explanation.text())")
    }
  }
  print("\(datapath.rawValue): \(right) of \(faults.count) faults named")
  for row in rows { print("  \(row)") }
}

/// Whether nftables works in a namespace of this kernel's, for a family of tables.
private func canFilter(in family: String) async throws -> Bool {
  let result = try await netlab.run(["unshare", "-n", "nft", "add table \(family) t"])
  return result.status.isSuccess
}

/// Whether legacy iptables works in a namespace of this kernel's.
private func canFilterTheOldWay() async throws -> Bool {
  let result = try await netlab.run(["unshare", "-n", "iptables-legacy", "-A", "INPUT", "-j", "ACCEPT"])
  return result.status.isSuccess
}

/// Whether bridges can show packets to it.
private func showsBridgedPackets() async throws -> Bool {
  Files.identity(of: "/proc/sys/net/bridge/bridge-nf-call-iptables") != nil
}

@Suite(.needs(.namespaces, .veth, .bridge, .ipv6), .serialized) struct FaultTests {
  @Test func faultsOfAnyDatapath() async throws {
    try await runTable(commonFaults, in: FourVMs(), bestDatapath)
  }

  @Test(.needs(.vlanFiltering)) func faultsOfTheChain() async throws {
    try await runTable(hybridFaults, in: QuietVMs(), .hybrid)
  }

  @Test(.enabled("this kernel has no inet family of nftables", { try await canFilter(in: "inet") }))
  func faultsOfNetfilter() async throws {
    try await runTable(netfilterFaults, in: FourVMs(), .linuxbridge)
  }

  @Test(.enabled("this kernel has no legacy iptables", { try await canFilterTheOldWay() }))
  func faultsOfLegacyTables() async throws {
    try await runTable(legacyFaults, in: FourVMs(), .linuxbridge)
  }

  @Test(
    .enabled("this kernel has no legacy iptables", { try await canFilterTheOldWay() }),
    .enabled("this kernel has no br_netfilter", { try await showsBridgedPackets() }))
  func faultsOfLegacyTablesOnBridges() async throws {
    try await runTable(bridgedLegacyFaults, in: FourVMs(), .linuxbridge)
  }

  /// Rules and queues that let all pass are named at no fault, and are none.
  @Test(arguments: [
    "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority 0; policy accept; }; add rule bridge t c counter accept'",
    "nft 'add table bridge t; add chain bridge t c { type filter hook prerouting priority 0; }; add rule bridge t c ether type 0x9999 drop'",
    "tc qdisc replace dev {tap:b} root pfifo limit 100",
  ])
  func harmlessRules(command: String) async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      try await running.inject(Fault("harmless", [("host", command)], at: "host"))
      let explainer = Explainer(lab: running.lab.name, tracer: running.tracer)
      let healthy = try await explainer.explain(from: "a", to: "b")
      #expect(!healthy.isFault && healthy.trace?.isDelivered == true, "\(healthy.text())")
      #expect(!healthy.text(.detailed).contains("drop;"), "\(healthy.text(.detailed))")
      // They are not taken for the reason of something else, either.
      try await running.run("ip link set \(running.expand("{tap:b}")) down", on: "host")
      let faulty = try await explainer.explain(from: "a", to: "b")
      #expect(faulty.fault?.reason == .deviceDown, "\(faulty.text())")
    }
  }

  @Test func legacyRulesAsTheyAreListed() {
    let hooks = HookReader.legacyHooks(
      """
      # Generated by iptables-save v1.8.9
      *filter
      :INPUT ACCEPT [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      :own - [0:0]
      -A INPUT -s 10.0.0.0/8 -j ACCEPT
      -A OUTPUT -p tcp -g own
      -A own -p tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable
      COMMIT
      """, family: "ip", tool: "iptables-legacy")
    #expect(
      hooks.map(\.name) == ["INPUT", "FORWARD", "OUTPUT"].map { "iptables-legacy table filter, chain \($0)" })
    #expect(
      hooks.map(\.suspects) == [
        [], ["policy DROP"],
        ["-A own -p tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable"],
      ])
  }

  @Test(.needs(.vlanFiltering, .vlanDevices)) func faultsOfSubinterfaces() async throws {
    try await runTable(trunkFaults, in: TrunkLab(), .hybrid)
  }

  /// One line: where, the device and its state, the lab's line and wish, the commands.
  @Test(.needs(.vlanFiltering)) func culpritInOneLine() async throws {
    try await withLab(QuietVMs(), .hybrid) { running in
      let (name, qvo) = (running.lab.name, running.expand("{qvo:b}"))
      try await running.run("bridge vlan del dev \(qvo) vid 1", on: "host")
      try await running.run("bridge vlan add dev \(qvo) vid 2 pvid untagged", on: "host")
      let explanation = try await Explainer(lab: name, tracer: running.tracer).explain(from: "a", to: "b")
      let line = try running.port("b").location.line
      #expect(
        explanation.culprit == """
          request lost at br-int: port \(qvo) has VLANs 2 PVID Egress Untagged, the frame carries \
          VLAN 1 — FaultTables.swift:\(line) wants VLAN 1 PVID Egress Untagged on \(qvo); \
          `bridge -n \(name).host vlan delete dev \(qvo) vid 2 && bridge -n \(name).host vlan add dev \(qvo) vid 1 \
          pvid untagged` repairs it
          """)
      // The repair is one.
      for command in explanation.repair {
        let result = try await netlab.run(command.split(separator: " ").map(String.init))
        #expect(result.status.isSuccess, "\(command): \(result.errorOutput)")
      }
      let after = try await Explainer(lab: name, tracer: running.tracer).explain(from: "a", to: "b")
      #expect(!after.isFault, "\(after.text())")
    }
  }

  @Test func healthy() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      for (from, to) in [("a", "b"), ("b", "a"), ("c", "fd77::1")] {
        let explanation = try await Explainer(lab: running.lab.name, tracer: running.tracer).explain(
          from: from, to: to)
        #expect(!explanation.isFault, "\(explanation.text())")
      }
    }
  }
}
