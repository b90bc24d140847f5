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

@Suite struct GraphTests {
  @Test func `The drawing has VMs on top, chains below, and the switch at the bottom`() throws {
    let lab = try resolved(Pair(), .hybrid)
    #expect(
      LabGraph(of: lab).text(width: 80).joined(separator: "\n") == """
        host
        ┌─ a ─────────────────┐ ┌─ b ─────────────────┐
        │ eth0                │ │ eth0                │
        │ 10.0.0.1/24         │ │ 10.0.0.2/24         │
        │ fa:16:3e:00:00:01   │ │ fa:16:3e:00:00:02   │
        └──────────┬──────────┘ └──────────┬──────────┘
                   │                       │
            tapaaaaaaaa-aa          tapbbbbbbbb-bb
          ┌────────┴───────┐      ┌────────┴───────┐
          │ qbraaaaaaaa-aa │      │ qbrbbbbbbbb-bb │
          └────────┬───────┘      └────────┬───────┘
            qvbaaaaaaaa-aa          qvbbbbbbbbb-bb
                   │                       │
            qvoaaaaaaaa-aa          qvobbbbbbbb-bb
                   │ tag 1                 │ tag 1
        ┌──────────┴───────────────────────┴──────────┐
        │ br-int                                      │
        │ tag 1 net                                   │
        └─────────────────────────────────────────────┘
        """)
  }

  @Test func `What does not fit side by side goes below`() throws {
    let lines = LabGraph(of: try resolved(FourVMs(), .linuxbridge)).text(width: 60)
    #expect(lines.allSatisfy { $0.count <= 60 })
    #expect(lines.count { $0.hasPrefix("┌─ ") } == 2)
    let folded = LabGraph(of: try resolved(FourVMs(), .linuxbridge)).text(width: 60, machineLimit: 1)
    #expect(folded.last == "… and 3 more VMs")
  }

  @Test func `A path is painted, also without colours`() throws {
    let lab = try resolved(FourVMs(), .hybrid)
    let graph = LabGraph(of: lab, path: try lab.chain(from: "a", to: "b"))
    let text = graph.text(width: 200).joined(separator: "\n")
    #expect(text.count { $0 == "●" } == 6)
    #expect(graph.mermaid.split(separator: "\n").count { $0.hasSuffix(" path") } == 11)
    #expect(graph.svg.contains(#"<path class="line path""#))
  }

  @Test func `Sources for other programs hold every device and cable once`() throws {
    let graph = LabGraph(of: try resolved(FourVMs(), .hybrid))
    // 4 interfaces, 4 devices for each port, br-int.
    #expect(
      graph.mermaid.split(separator: "\n").count { $0.contains("[\"") && !$0.contains("subgraph") } == 21)
    #expect(graph.mermaid.split(separator: "\n").count { $0.contains(" ---") } == 20)
    #expect(graph.dot.split(separator: "\n").count { $0.contains("[label=") && !$0.contains(" -- ") } == 21)
    #expect(graph.dot.split(separator: "\n").count { $0.contains(" -- ") } == 20)
    #expect(graph.dot.count { $0 == "{" } == graph.dot.count { $0 == "}" })
  }

  @Test func `An SVG stands by itself, and is light or dark`() throws {
    let svg = LabGraph(of: try resolved(FourVMs(), .hybrid)).svg
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(svg.contains("@media (prefers-color-scheme: dark)"))
    #expect(!svg.contains("href") && !svg.contains("url("))
    #expect(svg.count { $0 == "<" } == svg.count { $0 == ">" })
  }

  @Test(.needs(.namespaces, .veth, .bridge)) func `Drift is marked at the device`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let name = lab.lab.name
      #expect(LabGraph(of: try Lifecycle().inspect(name)).notes.isEmpty)
      let tap = DeviceName.tap(try lab.port("c"))
      try await lab.run("ip link set \(tap) down", on: "host")
      try await lab.run("ip address del 10.77.0.1/24 dev eth0", on: "a")
      try await lab.run("ip link add stray type bridge", on: "b")
      let graph = LabGraph(of: try Lifecycle().inspect(name))
      let text = graph.text(width: 200)
      #expect(text.contains { $0.contains("✗ state down") })
      #expect(text.contains { $0.contains("✗ no 10.77.0.1/24") })
      #expect(graph.notes.contains("not netlab's: stray in \(name).b"))
      #expect(graph.svg.contains("class=\"end problem\""))
    }
  }

  private struct Pair: Lab {
    let net = Network("net", subnet: "10.0.0.0/24")
    var topology: some Topology {
      Host("host") {
        VM("a").port(
          on: net, ip: "10.0.0.1", mac: "fa:16:3e:00:00:01", id: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
        VM("b").port(
          on: net, ip: "10.0.0.2", mac: "fa:16:3e:00:00:02", id: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")
      }
    }
  }
}
