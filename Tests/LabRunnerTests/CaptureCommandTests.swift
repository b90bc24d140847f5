import Glibc
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

/// Captures at several places, read back with the programs that people read them with.
@Suite(.needs(.namespaces, .veth, .bridge)) struct CaptureCommandTests {
  @Test func `A file has an interface for each place, and every packet`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let inspection = try Lifecycle().inspect(lab.lab.name)
      let places = try inspection.places(of: inspection.lab.chain(from: "a", to: "b"))
      #expect(places.count == 5)
      let file = "\(lab.captures)/all.pcapng"
      // Three requests and three replies at each place.
      let summary = try await capture(lab, places, "icmp", to: file, limit: 30) {
        _ = try await lab.passes(Ping(from: "a", to: "b", count: 3))
      }
      #expect(summary.packets == 30 && summary.lost == 0)
      #expect(try await read(file).count == 30)
      guard await isInstalled("capinfos") else { return }
      let description = try await netlab.run(["capinfos", file]).output
      for place in places { #expect(description.contains("Name = \(place.device)")) }
      #expect(description.contains("Time precision = nanoseconds (9)"))
      #expect(description.contains("Filter string = icmp"))
      #expect(description.contains("Number of packets:   30"))
    }
  }

  @Test(.needs(.vlanDevices)) func `VLAN tags are put back, and filters find them`() async throws {
    try await withLab(Trunk(), .linuxbridge) { lab in
      let inspection = try Lifecycle().inspect(lab.lab.name)
      let places = try inspection.places("trunk:eth0") + inspection.places("trunk:tap")
      for filter in ["vlan 100 and icmp", "icmp"] {
        let file = "\(lab.captures)/tagged.pcapng"
        _ = try await capture(lab, places, filter, to: file, limit: 8) {
          _ = try await lab.passes(Ping(from: "web", to: "trunk", count: 2))
        }
        let lines = try await read(file)
        #expect(lines.count == 8)
        #expect(lines.allSatisfy { $0.contains("802.1Q (0x8100)") && $0.contains("vlan 100") }, "\(lines)")
      }
    }
  }

  @Test func `Text names the place of each packet, in the order of time`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let inspection = try Lifecycle().inspect(lab.lab.name)
      let places = try inspection.places("a") + inspection.places("b:eth0")
      let lines = Mutex<[(LabDevice, String)]>([])
      let capture = LiveCapture(lab: lab.lab.name, places: places, filter: "icmp", processes: netlab)
      let (ready, signal) = AsyncStream<Void>.makeStream()
      async let summary = {
        // Also when it fails, so that nothing waits for it.
        defer { signal.finish() }
        return try await capture.printText(limit: 4, ready: { signal.yield() }) { device, line in
          lines.withLock { $0.append((device, line)) }
        }
      }()
      for await _ in ready { break }
      _ = try await lab.passes(Ping(from: "a", to: "b", count: 1))
      #expect(try await summary.packets == 4)
      let seen = lines.withLock { $0 }
      #expect(seen.map(\.0.node) == ["a", "b", "b", "a"])
      #expect(seen.prefix(2).allSatisfy { $0.1.contains("ICMP echo request") })
    }
  }

  @Test func `Text of more packets than a pipe holds is printed to the last`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let places = try Lifecycle().inspect(lab.lab.name).places("a")
      let lines = Atomic(0)
      let capture = LiveCapture(lab: lab.lab.name, places: places, filter: "icmp", processes: netlab)
      let (ready, signal) = AsyncStream<Void>.makeStream()
      async let summary = {
        defer { signal.finish() }
        return try await capture.printText(limit: 400, ready: { signal.yield() }) { _, line in
          if line.first?.isWhitespace == false { lines.add(1, ordering: .relaxed) }
        }
      }()
      for await _ in ready { break }
      _ = try await lab.passes(Ping(from: "a", to: "b", count: 200, size: 1400))
      #expect(try await summary.packets == 400)
      #expect(lines.load(ordering: .relaxed) == 400)
    }
  }

  @Test func `All hops are those of the predicted way, and the end of it is told`() async throws {
    try await withLab(FourVMs(), bestDatapath) { lab in
      let name = lab.lab.name
      let whole = try await lab.tracer.path(lab: name, from: "a", to: "b")
      #expect(whole.devices == (try lab.lab.chain(from: "a", to: "b")) && whole.end == nil)
      let tap = lab.expand("{tap:b}")
      try await lab.run("ip link set \(tap) nomaster", on: "host")
      let cut = try await lab.tracer.path(lab: name, from: "a", to: "b")
      #expect(cut.devices.starts(with: whole.devices.prefix(3)) && cut.end != nil, "\(cut)")
      #expect(!cut.devices.contains { $0.name == tap || $0.node == "b" }, "\(cut)")
      try await lab.run(
        "ip link set \(tap) master \(lab.expand(bestDatapath == .hybrid ? "{qbr:b}" : "{brq:b}"))", on: "host"
      )
      try await lab.run("ip link set \(tap) down", on: "host")
      let down = try await lab.tracer.path(lab: name, from: "a", to: "b")
      #expect(down.end?.device == LabDevice(node: "host", name: tap), "\(down)")
      let graph = LabGraph(of: try Lifecycle().inspect(name), path: down)
      let text = graph.text(width: 200).joined(separator: "\n")
      #expect(text.contains("✗ the packet ends here"), "\(text)")
      #expect(text.contains("the packet ends at host:\(tap): \(tap) is down"), "\(text)")
      await #expect(throws: RunnerError.self) { try await lab.tracer.path(lab: name, from: "a", to: "bb") }
    }
  }

  @Test func `Cancelling is an end that keeps what came`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let places = try Lifecycle().inspect(lab.lab.name).places("a")
      let file = "\(lab.captures)/cancelled.pcapng"
      let (ready, signal) = AsyncStream<Void>.makeStream()
      let capture = LiveCapture(lab: lab.lab.name, places: places, filter: "icmp", processes: netlab)
      let task = Task {
        defer { signal.finish() }
        return try await capture.write(toFile: file) { signal.yield() }
      }
      for await _ in ready { break }
      _ = try await lab.passes(Ping(from: "a", to: "b", count: 2))
      task.cancel()
      #expect(try await task.value.packets == 4)
      #expect(try await read(file).count == 4)
    }
  }

  @Test func `Places are found by name, altname and role; others suggest the nearest`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let inspection = try Lifecycle().inspect(lab.lab.name)
      let tap = DeviceName.tap(try lab.port("a"))
      for text in ["a:tap", "host:\(tap)", "host:tap-a"] {
        #expect(try inspection.places(text).map { "\($0.device)" } == ["host:\(tap)"])
      }
      #expect(try inspection.places("host").count == 2)
      for (text, remedy) in [("hos", "Did you mean 'host'?"), ("a:eth1", "Did you mean 'eth0'?")] {
        let error = #expect(throws: RunnerError.self) { try inspection.places(text) }
        #expect(error?.remedy == remedy && error?.kind == .usage)
      }
      let (places, filter) = try inspection.split(
        ["a", "b:eth0", "icmp", "and", "host", "10.77.0.1"], allowsNoPlace: false)
      #expect(places == ["a", "b:eth0"] && filter == "icmp and host 10.77.0.1")
      #expect(throws: RunnerError.self) { try inspection.split(["a", "hos:eth0"], allowsNoPlace: false) }

      let bad = LiveCapture(
        lab: lab.lab.name, places: try inspection.places("a"), filter: "icmp andd", processes: netlab)
      let error = await #expect(throws: RunnerError.self) {
        try await bad.write(toFile: "\(lab.captures)/bad") {}
      }
      #expect(error?.message.contains("syntax error") == true)
    }
  }

  /// Captures into a file while `stimulus` runs.
  private func capture(
    _ lab: RunningLab, _ places: [CapturePlace], _ filter: String, to file: String, limit: Int,
    _ stimulus: () async throws -> Void
  ) async throws -> LiveCapture.Summary {
    let (ready, signal) = AsyncStream<Void>.makeStream()
    let capture = LiveCapture(lab: lab.lab.name, places: places, filter: filter, processes: netlab)
    async let summary = {
      defer { signal.finish() }
      return try await capture.write(toFile: file, limit: limit) { signal.yield() }
    }()
    for await _ in ready { break }
    try await stimulus()
    return try await summary
  }

  /// What tcpdump makes of a file, a line for each packet.
  private func read(_ file: String) async throws -> [String] {
    let result = try await netlab.run(["tcpdump", "-r", file, "-n", "-e", "-Z", "root"])
    #expect(result.status.isSuccess, "\(result.errorOutput)")
    return result.output.split(separator: "\n").filter { $0.first != " " && $0.first != "\t" }.map(
      String.init)
  }

  private func isInstalled(_ program: String) async -> Bool {
    (try? await netlab.run(["sh", "-c", "command -v \(program)"]).status.isSuccess) == true
  }

  /// A VM with a VLAN subinterface, and one on that network.
  private struct Trunk: Lab {
    let management = Network("management", subnet: "10.79.0.0/24")
    let front = Network("front", subnet: "10.80.0.0/24")
    var topology: some Topology {
      Host("host") {
        VM("trunk").port(on: management) { Subport(on: front, vlan: 100, ip: "10.80.0.1") }
        VM("web").port(on: front, ip: "10.80.0.2")
      }
    }
  }
}
