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

/// The default datapath, where this kernel has what it takes.
let bestDatapath: Datapath = KernelProbe.missing([.vlanFiltering]).isEmpty ? .hybrid : .linuxbridge

/// Predictions and real packets, on the labs that ship.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized) struct TraceTests {
  /// The labs, with settings that keep them small enough to try each pair of VMs.
  static let labs: [(name: String, settings: [String])] = [
    ("TwoVMs", []), ("TwoSubnets", []), ("TwoNetworks", []), ("Crowd", ["--set", "vms=5"]),
  ]

  @Test(arguments: labs.map(\.name)) func everyPair(name: String) async throws {
    try await everyPair(name, bestDatapath)
  }

  @Test(.needs(.vlanFiltering, .vlanDevices)) func everyPairWithSubinterfaces() async throws {
    try await everyPair("TrunkVM", .hybrid)
    try await everyPair("TrunkVM", .linuxbridge)
  }

  /// Unicast between each ordered pair of VMs, and from each VM a broadcast and a frame to nobody: seen where
  /// predicted, and nowhere else.
  private func everyPair(_ name: String, _ datapath: Datapath) async throws {
    let settings = Self.labs.first { $0.name == name }?.settings ?? []
    let program = try await netlab.run([buildDirectory + "/\(name)", "--emit-topology"] + settings)
    var document = try LabDocument(json: program.standardOutput)
    document.name = "trace-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    document.datapath = datapath
    _ = try Lifecycle().up(document, labFile: "test")
    defer { _ = try? Lifecycle().down(document.name) }
    let lab = try document.resolved()
    let tracer = Tracer(runner: netlab)
    var probe = Tracer.Probe()
    probe.isRoundTrip = true
    var delivered = 0
    for from in lab.vms {
      for to in lab.vms where to.name != from.name {
        let trace = try await tracer.trace(lab: document.name, from: from.name, to: to.name, probe)
        #expect(trace.proof?.isAsPredicted == true, "\(name) \(from.name) \(to.name): \(trace.text())")
        if trace.isDelivered { delivered += 1 }
      }
      for mac in ["ff:ff:ff:ff:ff:ff", "02:00:00:00:12:34"] {
        let trace = try await tracer.trace(lab: document.name, from: from.name, to: mac)
        #expect(trace.proof?.isAsPredicted == true, "\(name) \(from.name) \(mac): \(trace.text())")
      }
    }
    #expect(delivered > 0)
  }
}

/// What a person gets to see, and bad input.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6), .serialized) struct TraceCommandTests {
  @Test func whatCannotMatterIsNotRead() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      func nodes() async throws -> [String: NodeState] {
        let session = try await TraceSession.open(
          running.lab.name, from: "a", to: "b", running.tracer.lifecycle, netlab)
        let nodes = session.kernel.nodes.map { (session.world.node($0.key), $0.value) }
        return Dictionary(uniqueKeysWithValues: nodes)
      }
      // c gets to hear who has b's address, and no more; d is on another network.
      let usual = try await nodes()
      #expect(usual.keys.sorted() == ["a", "b", "c", "host"])
      #expect(usual.filter { $0.value.routes.isEmpty }.map(\.key) == ["c"])
      #expect(usual.values.allSatisfy { !$0.addresses.isEmpty || $0.name.hasSuffix(".host") })

      try await running.run("sysctl -w net.ipv4.conf.eth0.forwarding=1", on: "c")
      #expect(try await nodes()["c"]?.routes.isEmpty == false)

      // Plugged otherwise than the lab says, d may have to do with it.
      let (tap, port) = (DeviceName.tap(try running.port("d")), try running.port("a"))
      let bridge = DeviceName.brq(running.lab.networks[port.network])
      try await running.run("ip link set \(tap) master \(bridge)", on: "host")
      try await running.run("ip address add \(try running.port("b").addresses[0]) dev eth0", on: "d")
      let mixed = try await nodes()
      #expect(mixed.keys.sorted() == ["a", "b", "c", "d", "host"])
      #expect(mixed["d"]?.routes.isEmpty == false)
    }
  }

  @Test func everyTransport() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      for transport in Tracer.Probe.Transport.allCases {
        for to in ["b", "fd77::2"] {
          var probe = Tracer.Probe()
          (probe.transport, probe.port, probe.isRoundTrip) = (transport, 2222, true)
          let trace = try await running.tracer.trace(lab: running.lab.name, from: "a", to: to, probe)
          #expect(trace.isDelivered, "\(transport) \(to): \(trace.text())")
        }
      }
    }
  }

  /// The first question for an address may be lost; the kernel asks again, and the trace waits for it.
  @Test(arguments: ["limit rate 1/day burst 1 packets drop", "drop"])
  func lostQuestion(verdict: String) async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      let table =
        "add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c icmpv6 type nd-neighbor-solicit \(verdict)"
      let result = try await netlab.run(["nft", table], in: "/run/netns/\(running.lab.namespace(of: "b"))")
      try #require(result.status.isSuccess, "\(result.errorOutput)")
      let trace = try await running.tracer.trace(lab: running.lab.name, from: "a", to: "fd77::2")
      #expect(trace.isDelivered == (verdict != "drop"), "\(trace.text())")
    }
  }

  @Test func predictionOnlySendsNothing() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      var probe = Tracer.Probe()
      probe.isLive = false
      let trace = try await running.tracer.trace(lab: running.lab.name, from: "a", to: "10.77.0.2", probe)
      #expect(trace.proof == nil && trace.isDelivered)
      #expect(try await running.run("ip neigh show 10.77.0.2", on: "a").isEmpty)
      #expect(trace.text(.minimal).hasSuffix("predicted: delivered to b eth0"))
      #expect(trace.text(.summary).contains("    outport = "))
    }
  }

  @Test func tooLargeForTheWay() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      var probe = Tracer.Probe()
      probe.size = 1501
      let trace = try await running.tracer.trace(lab: running.lab.name, from: "a", to: "b", probe)
      guard case .dropped(let drop) = trace.outcome else {
        Issue.record("\(trace.text())")
        return
      }
      #expect(drop.reason == .mtuExceeded && trace.proof?.isAsPredicted == true, "\(trace.text())")
    }
  }

  @Test func badInput() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      func message(_ from: String, _ to: String) async -> String {
        do {
          _ = try await running.tracer.trace(lab: running.lab.name, from: from, to: to)
          return ""
        } catch {
          return "\(error)"
        }
      }
      let name = running.lab.name
      #expect(await message("bb", "a") == "the lab '\(name)' has no VM 'bb'\n  Did you mean 'b'?")
      #expect(await message("a", "nobody") == "the lab '\(name)' has no VM 'nobody'\n  It has a, b, c, d.")
      #expect(
        await message("host", "a")
          == "'host' is a host: packets are traced from VM to VM\n  It has a, b, c, d.")
      #expect(await message("10.9.9.9", "a").hasPrefix("no VM of the lab '\(name)' has the address 10.9.9.9"))
      await #expect(throws: RunnerError.self) {
        try await running.tracer.trace(lab: name + "x", from: "a", to: "b")
      }
    }
  }

  @Test func commandLine() async throws {
    try await withLab(FourVMs(), bestDatapath) { running in
      func trace(_ arguments: String...) async throws -> ProcessResult {
        try await netlab.run([buildDirectory + "/netlab", "trace", running.lab.name] + arguments)
      }
      let good = try await trace("a", "b", "--round-trip")
      #expect(good.status == .exited(0) && good.output.contains("observed:  as predicted"), "\(good.output)")
      let json = try await trace("a", "b", "--json", "--predict-only")
      #expect(json.status == .exited(0) && json.output.hasPrefix("{") && !json.output.contains("proof"))
      let dropped = try await trace("a", "10.77.0.99", "--minimal")
      #expect(dropped.status == .exited(1))
      #expect(
        dropped.output.contains("predicted: dropped: nobody answers arp for 10.77.0.99"), "\(dropped.output)")
      for arguments in [["a", "bbbb"], ["a", "b", "--vlan", "7"], ["a", "b", "--dport", "0"], ["a"]] {
        let bad = try await netlab.run([buildDirectory + "/netlab", "trace", running.lab.name] + arguments)
        #expect(bad.status == .exited(2), "\(arguments): \(bad.errorOutput)")
      }
    }
  }

  /// A frame that is seen where none was predicted is told.
  @Test func divergence() async throws {
    try await withLab(FourVMs(), .linuxbridge) { running in
      try await running.run("ip link add br9 type bridge", on: "a")
      let table =
        "add table bridge t; add chain bridge t c { type filter hook forward priority -200; policy drop; }"
      let result = try await netlab.run(
        ["nft", table], in: "/run/netns/\(running.lab.namespace(of: "host"))")
      try #require(result.status.isSuccess, "\(result.errorOutput)")
      let trace = try await running.tracer.trace(lab: running.lab.name, from: "a", to: "b")
      #expect(!trace.isDelivered)
      #expect(trace.proof?.divergence?.reason == .netfilter)
      #expect(trace.text().contains("✗ not seen"))
      #expect(trace.text().contains("policy drop"))
    }
  }
}
