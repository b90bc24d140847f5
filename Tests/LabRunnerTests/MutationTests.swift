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

/// Labs broken on purpose, and what their checks notice of it.
@Suite struct MutationTests {
  @Test func `Each attribute that matters is broken once`() throws {
    let mutations = Mutation.all(of: try resolved(FourVMs(), .hybrid))
    #expect(Set(mutations.map(\.title)).count == mutations.count)
    let ofA = mutations.filter { $0.vm == "a" }.map(\.title)
    // Five devices down, three off their bridge, four with a smaller MTU, the MAC, four kinds of VLAN, two addresses.
    #expect(ofA.count { $0.hasSuffix(" down") } == 5)
    #expect(ofA.count { $0.hasSuffix(" off its bridge") } == 3)
    #expect(ofA.count { $0.contains(" with mtu 1400") } == 4)
    #expect(ofA.count { $0.contains("vlan") } == 4)
    #expect(ofA.count == 19)
    #expect(
      mutations.filter { $0.vm == nil }.map(\.title).sorted() == [
        "host:br-int down", "host:br-int forgetting addresses at once", "host:br-int without vlan filtering",
      ])
    // The first few are about all VMs.
    #expect(Set(mutations.prefix(5).map(\.vm)) == [nil, "a", "b", "c", "d"])
  }

  @Test(.needs(.namespaces, .veth, .bridge)) func `What a check notices is told from holes`() async throws {
    try await withLab(Guarded(), .linuxbridge) { lab in
      let lifecycle = Lifecycle()
      let document = try lifecycle.state(of: lab.lab.name).document
      let wanted = ["a:eth0 down", "a:eth0 with mtu 1400", "b:eth0 without 10.81.0.2/24"]
      let mutations = Mutation.all(of: lab.lab).filter { wanted.contains($0.title) }
      #expect(mutations.count == 3)
      let test = try MutationTest(
        document.resolved(), labFile: "test", lifecycle: lifecycle, processes: netlab)
      let results = try await test.run(mutations) { _ in }
      let noticed = Dictionary(uniqueKeysWithValues: results.map { ($0.mutation.title, $0.noticedBy) })
      #expect(noticed["a:eth0 down"]??.value is Ping)
      #expect(noticed["b:eth0 without 10.81.0.2/24"]??.value is Ping)
      let hole = try #require(results.first { $0.noticedBy == nil })
      #expect(hole.mutation.title == "a:eth0 with mtu 1400")
      #expect(hole.commands == ["ip -n \(lab.lab.name).a link set dev eth0 mtu 1400"])
      #expect(hole.mutation.suggestion == #"Ping(from: "b", to: "a", size: 1472, dontFragment: true)"#)
      // Nothing is left broken.
      #expect(try lifecycle.status(lab.lab.name).changes.isEmpty)
    }
  }

  @Test(.needs(.vlanFiltering)) func `A wrong tag is noticed by tag checks`() async throws {
    try await withLab(Guarded(), .hybrid) { lab in
      let document = try Lifecycle().state(of: lab.lab.name).document
      let mutations = Mutation.all(of: lab.lab).filter {
        $0.vm == "b" && ($0.title.contains("vlan") || $0.title.contains(/qvo.* off its bridge/))
      }
      #expect(mutations.count == 3)
      let test = try MutationTest(
        document.resolved(), labFile: "test", lifecycle: Lifecycle(), processes: netlab)
      let results = try await test.run(mutations) { _ in }
      #expect(results.allSatisfy { $0.noticedBy != nil })
      #expect(try Lifecycle().status(lab.lab.name).changes.isEmpty)
    }
  }

  /// A lab whose only checks are a ping and the tags.
  private struct Guarded: Lab {
    let net = Network("net", subnet: "10.81.0.0/24")
    var topology: some Topology {
      Host("host") {
        VM("a").port(on: net, ip: "10.81.0.1")
        VM("b").port(on: net, ip: "10.81.0.2")
      }
    }
    var checks: some Checks {
      Ping(from: "a", to: "b", count: 1)
      SameTag("a", "b")
    }
  }
}
