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

/// What `show` says, of labs as they should be and of broken ones.
@Suite(.needs(.namespaces, .veth, .bridge)) struct InspectTests {
  @Test func `A port's way is found from the VM to the switch`() throws {
    let wiring = try wiring(of: FourVMs(), .hybrid)
    let port = try #require(wiring.ports.first { $0.interface.node == "a" })
    #expect(port.chain.map { $0.name.prefix(3) } == ["tap", "qbr", "qvb", "qvo"])
    #expect(Set(port.chain.map { $0.name.dropFirst(3) }).count == 1)
    #expect(port.bridge == LabDevice(node: "host", name: "br-int"))
    #expect(port.tag == 1 && port.network == "net")
    #expect(try #require(wiring.ports.first { $0.interface.node == "d" }).tag == 2)
  }

  @Test func `A bridge of two VMs is a switch, not a part of a chain`() throws {
    for port in try wiring(of: FourVMs(), .linuxbridge).ports {
      #expect(port.chain.count == 1)
      #expect(port.bridge?.name.hasPrefix("brq") == true)
      #expect(port.network == (port.interface.node == "d" ? "other" : "net"))
      #expect(port.tag == nil)
    }
  }

  @Test func `A chain leads from one VM to another`() throws {
    let lab = try resolved(FourVMs(), .hybrid)
    let names = try lab.chain(from: "a", to: "b").map { String($0.name.prefix(3)) }
    #expect(names == ["eth", "tap", "qbr", "qvb", "qvo", "br-", "qvo", "qvb", "qbr", "tap", "eth"])
    #expect(throws: RunnerError.self) { try lab.chain(from: "a", to: "d") }
    let error = #expect(throws: RunnerError.self) { try lab.chain(from: "hosst", to: "d") }
    #expect(error?.message == "the lab '\(lab.name)' has no VM 'hosst'")
  }

  @Test func `Ports are shown with state and counters, as the kernel has them`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let before = try ports(of: lab)
      #expect(before.map(\.vm) == ["a", "b", "c", "d"])
      #expect(before.allSatisfy { $0.state == "up" && $0.mtu == 1500 && $0.host == "host" })
      #expect(before[0].addresses == ["10.77.0.1/24", "fd77::1/64"])
      #expect(before.map(\.network) == ["net", "net", "net", "other"])

      _ = try await lab.passes(Ping(from: "a", to: "b", count: 3))
      #expect(try ports(of: lab)[0].sentPackets >= before[0].sentPackets + 3)

      let (tap, other) = (before[1].chain[0], before[2].chain[0])
      try await lab.run("ip link set \(tap) down", on: "host")
      try await lab.run("ip link set \(other) nomaster", on: "host")
      let broken = try ports(of: lab)
      #expect(broken.map(\.state) == ["up", "\(tap) down", "\(other) unplugged", "up"])
      #expect(broken[2].network == nil)
      let networks = try Lifecycle().inspect(lab.lab.name).switches()
      #expect(networks.map(\.name) == ["net", "other", "not plugged in"])
      #expect(networks.map { $0.ports.map(\.alias) } == [["a", "b"], ["d"], ["c"]])
    }
  }

  @Test func `What bridges and VMs have learned is shown with its owner`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      _ = try await lab.passes(Ping(from: "a", to: "b"))
      let inspection = try Lifecycle().inspect(lab.lab.name)
      let mac = try lab.port("b").mac
      let learned = try #require(inspection.forwarding().first { $0.mac == "\(mac)" })
      #expect(learned.owner == "b:eth0" && learned.kind == "learned" && learned.node == "host")
      #expect(inspection.forwarding(withOwn: true).contains { $0.kind == "own" })
      let neighbour = try #require(
        inspection.neighbours().first { $0.node == "a" && $0.address == "10.77.0.2" })
      #expect(neighbour.mac == "\(mac)" && neighbour.owner == "b:eth0")
      let routes = inspection.routes().filter { $0.node == "a" && $0.destination == "10.77.0.0/24" }
      #expect(routes.map(\.source) == ["10.77.0.1"] && routes.map(\.origin) == ["kernel"])
      let bridges = inspection.bridges()
      #expect(bridges.map { $0.ports.count }.sorted() == [1, 3])
      #expect(
        bridges.flatMap(\.ports).compactMap(\.peer).sorted() == ["a:eth0", "b:eth0", "c:eth0", "d:eth0"])
    }
  }

  @Test(.needs(.vlanFiltering)) func `A port with a wrong tag is shown outside of its network`() async throws
  {
    try await withLab(FourVMs(), .hybrid) { lab in
      let qvo = DeviceName.qvo(try lab.port("b"))
      #expect(try ports(of: lab).map(\.tag) == [1, 1, 1, 2])
      try await lab.run("bridge vlan delete dev \(qvo) vid 1", on: "host")
      #expect(try ports(of: lab)[1].state == "no tag")
      try await lab.run("bridge vlan add dev \(qvo) vid 7 pvid untagged", on: "host")
      try await lab.run("bridge link set dev \(qvo) isolated on", on: "host")
      let inspection = try Lifecycle().inspect(lab.lab.name)
      #expect(inspection.switches().map(\.name) == ["net", "other", "tag 7 of br-int on host"])
      let bridge = try #require(inspection.bridges().first { $0.name == "br-int" })
      let port = try #require(bridge.ports.first { $0.name == qvo })
      #expect(port.vlans == ["7 PVID Egress Untagged"] && port.flags == ["isolated on"])
    }
  }

  private func ports(of lab: RunningLab) throws -> [PortView] {
    try Lifecycle().inspect(lab.lab.name).ports()
  }
}

/// A lab as it is before anything runs.
func resolved(_ lab: some Lab, _ datapath: Datapath) throws -> ResolvedLab {
  var document = try LabDocument(of: lab, settings: [])
  document.datapath = datapath
  return try document.resolved()
}

private func wiring(of lab: some Lab, _ datapath: Datapath) throws -> Wiring {
  let lab = try resolved(lab, datapath)
  return Wiring(lab.blueprint(), of: lab)
}
