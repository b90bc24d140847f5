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

/// The checks of frames on the fabric: tags, flooding, devices of the host.
extension CheckTests {
  @Test func fabricOnLinuxbridge() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let (b, ping) = (VM("b"), Ping(from: "a", to: "b", count: 1))
      #expect(
        try await lab.passes(Capture(at: b.tap, filter: "icmp") { ping }.sees(.exactly(2))) == "saw 2 packets"
      )
      let bridge = Host("host").device(DeviceName.brq(lab.lab.networks[0]))
      _ = try await lab.passes(Capture(at: bridge, filter: "icmp") { ping }.sees(.exactly(2)))
      #expect(
        try await lab.skipReason(of: Capture(at: b.qvo) { ping }) == "the linuxbridge datapath has no qvo")
      let integration = Host("host").device("br-int")
      #expect(
        try await lab.skipReason(of: Capture(at: integration) { ping })
          == "the linuxbridge datapath has no br-int")
      #expect(try await lab.skipReason(of: DifferentTag("a", "d")) == "the linuxbridge datapath has no tags")
    }
  }

  @Test(.needs(.vlanFiltering)) func fabricOnHybrid() async throws {
    try await withLab(FourVMs(), .hybrid) { lab in
      let a = VM("a")
      let ping = Ping(from: "a", to: "b", count: 1)
      // Hop by hop: each device shows the request and the reply once.
      for point in [a.tap, a.qbr, a.qvb, a.qvo, VM("b").qvo] {
        #expect(
          try await lab.passes(Capture(at: point, filter: "icmp") { ping }.sees(.exactly(2)))
            == "saw 2 packets")
      }
      // Between its ports the frames carry the tag, which a capture on the bridge itself shows.
      let integration = Host("host").device("br-int")
      #expect(try await lab.passes(Tagged(at: integration, vlan: 1) { ping }).hasSuffix(" frames of VLAN 1"))
      let wrong = try await lab.failure(of: Tagged(at: integration, vlan: 2) { ping })
      #expect(wrong.seen.hasSuffix(" of VLAN 1"))
    }
  }

  @Test(.needs(.vlanFiltering)) func tags() async throws {
    try await withLab(FourVMs(), .hybrid) { lab in
      #expect(try await lab.passes(SameTag("a", "b")) == "both have tag 1")
      #expect(try await lab.passes(DifferentTag("a", "d")) == "tags 1 and 2")
      _ = try await lab.passes(Unreachable(from: "a", to: "d"))

      let qvo = DeviceName.qvo(try lab.port("b"))
      try await lab.run("bridge vlan delete dev \(qvo) vid 1", on: "host")
      let none = try await lab.failure(of: SameTag("a", "b"))
      #expect(none.expected == "a tag (PVID) on b's port \(qvo)")
      #expect(none.seen == "it is in no VLAN")
      try await lab.run("bridge vlan add dev \(qvo) vid 2 pvid untagged", on: "host")
      let different = try await lab.failure(of: SameTag("a", "b"))
      #expect(different.expected == "a and b with the same tag")
      #expect(different.seen == "a has tag 1, b has tag 2")
      let same = try await lab.failure(of: DifferentTag("b", "d"))
      #expect(same.expected == "b and d with different tags")
      #expect(same.seen == "b has tag 2, d has tag 2")
      // A wrong VLAN is felt by every other check as well.
      let silent = try await lab.failure(of: Ping(from: "a", to: "b"))
      #expect(silent.seen == "0 of 3 replies")
    }
  }

  /// Two networks that should be apart are connected: the check that they are must notice.
  @Test(.needs(.vlanFiltering)) func isolation() async throws {
    try await withLab(FourVMs(), .hybrid) { lab in
      // With routes on the link, only the tags keep them apart.
      try await lab.run("ip route add 10.78.0.0/24 dev eth0", on: "a")
      try await lab.run("ip route add 10.77.0.0/24 dev eth0", on: "d")
      #expect(try await lab.passes(Unreachable(from: "a", to: "d")) == "no reply within 300 ms")
      let qvo = DeviceName.qvo(try lab.port("d"))
      try await lab.run("bridge vlan delete dev \(qvo) vid 2", on: "host")
      try await lab.run("bridge vlan add dev \(qvo) vid 1 pvid untagged", on: "host")
      try await lab.run("ip neighbour flush dev eth0", on: "a")
      let reached = try await lab.failure(of: Unreachable(from: "a", to: "d"))
      #expect(reached.expected == "no reply from 10.78.0.4")
      #expect(reached.seen.hasPrefix("3 of 3 replies, "), "\(reached)")
    }
  }

  @Test func tagsOnTwoHosts() async throws {
    struct TwoHosts: Lab {
      let net = Network("net", subnet: "10.77.0.0/24")
      var topology: some Topology {
        Host("one") { VM("a").port(on: net) }
        Host("two") { VM("b").port(on: net) }
      }
    }
    var document = try LabDocument(of: TwoHosts(), settings: [])
    document.datapath = .hybrid
    let lab = RunningLab(lab: try document.resolved(), captures: "/nowhere")
    let failure = try await lab.failure(of: SameTag("a", "b"))
    #expect(failure.expected == "a and b on one host, since a tag means nothing outside of its host")
    #expect(failure.seen == "they are on one and two")
  }

  @Test(arguments: [("a", "b"), ("a", "fd77::2")])
  func notFloodedOnLinuxbridge(from: String, to: String) async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      try await flooding(lab, NotFlooded(from: from, to: to, observer: "c"))
    }
  }

  @Test(.needs(.vlanFiltering)) func notFloodedOnHybrid() async throws {
    try await withLab(FourVMs(), .hybrid) { lab in
      try await flooding(lab, NotFlooded(from: "a", to: "b", observer: "c"))
    }
  }

  private func flooding(_ lab: RunningLab, _ check: NotFlooded) async throws {
    #expect(try await lab.passes(check) == "c saw a broadcast of a, and none of 6 unicast packets")
    let elsewhere = try await lab.failure(of: NotFlooded(from: "a", to: "b", observer: "d"))
    #expect(elsewhere.expected == "a port of d on net")

    // A bridge that forgets at once is a hub.
    let bridge =
      lab.lab.datapath == .hybrid ? DeviceName.integrationBridge : DeviceName.brq(lab.lab.networks[0])
    try await lab.run("ip link set \(bridge) type bridge ageing_time 0", on: "host")
    try await lab.run("bridge fdb flush dev \(bridge)", on: "host")
    let flooded = try await lab.failure(of: check)
    #expect(flooded.expected.hasPrefix("none of the unicast "))
    #expect(flooded.seen == "6 packets of it", "\(flooded)")
    #expect(flooded.details.first?.contains("echo request") == true)
    #expect(flooded.capture != nil)

    // An observer that sees no broadcast either proves nothing.
    try await lab.run("ip link set \(DeviceName.tap(lab.port("c"))) nomaster", on: "host")
    let blind = try await lab.failure(of: check)
    #expect(blind.expected == "the capture at c:eth0 to see the frame that shows that it works")
  }

  @Test(.needs(.vlanDevices)) func taggedOnLinuxbridge() async throws {
    try await withLab(TrunkPair(), .linuxbridge) { lab in try await tagged(lab) }
  }

  @Test(.needs(.vlanDevices, .vlanFiltering)) func taggedOnHybrid() async throws {
    try await withLab(TrunkPair(), .hybrid) { lab in try await tagged(lab) }
  }

  private func tagged(_ lab: RunningLab) async throws {
    let trunk = VM("trunk")
    let front = Ping(from: trunk, to: "web", count: 2)
    // Requests, replies, and ARP when the kernel feels like it.
    for point in [trunk.interface(on: "management"), trunk.tap] {
      let detail = try await lab.passes(Tagged(at: point, vlan: 100) { front })
      #expect(detail.hasPrefix("saw ") && detail.hasSuffix(" frames of VLAN 100"))
    }
    #expect(
      try await lab.passes(
        Tagged(at: trunk, vlan: 100) { TCP(from: trunk, to: "web", port: 80, listening: .byCheck) }
      ).hasPrefix(
        "saw "))
    // Kernel and tcpdump agree in what the keyword means, with the tag in metadata or not.
    _ = try await lab.passes(Capture(at: trunk, filter: "vlan 100 and icmp") { front }.sees(.exactly(4)))
    // libpcap's optimizer loses the frames of this one.
    _ = try await lab.passes(
      Capture(at: trunk, filter: "udp or (vlan 100 and icmp)") { front }.sees(.exactly(4)))
    _ = try await lab.passes(Capture(at: trunk, filter: "vlan 200") { front }.sees(.nothing))
    _ = try await lab.passes(Capture(at: "web", filter: "vlan") { front }.sees(.nothing))
    _ = try await lab.passes(
      Capture(at: trunk.device("eth0.100"), filter: "icmp") { front }.sees(.exactly(4)))

    let other = try await lab.failure(of: Tagged(at: trunk, vlan: 200) { front })
    #expect(other.expected == "frames of VLAN 200 at trunk:eth0")
    #expect(other.seen.hasSuffix(" of VLAN 100"))
    let untagged = try await lab.failure(of: Tagged(at: "web", vlan: 100) { front })
    #expect(untagged.seen.hasSuffix(" without a tag"))
    let absent = try await lab.failure(of: Tagged(at: "admin", vlan: 100) { front })
    #expect(absent.seen == "no frame of the traffic")
    #expect(absent.capture != nil)
  }
}

extension RunningLab {
  /// Why a check was skipped; the test fails when it was not.
  fileprivate func skipReason(of check: some CheckValue) async throws -> String? {
    guard case .skipped(let reason) = try await result(of: check).outcome else { return nil }
    return reason
  }
}

/// A VM with a VLAN subport, a VM on that subport's network, and one on the trunk's own.
private struct TrunkPair: Lab {
  let management = Network("management", subnet: "10.0.0.0/24")
  let front = Network("front", subnet: "10.1.0.0/24")

  var topology: some Topology {
    Host("host") {
      VM("trunk").port(on: management, ip: "10.0.0.10") {
        Subport(on: front, vlan: 100, ip: "10.1.0.10")
      }
      VM("admin").port(on: management, ip: "10.0.0.20")
      VM("web").port(on: front, ip: "10.1.0.20")
    }
  }
}
