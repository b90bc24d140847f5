import Foundation
import LabKit
import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// An error at each step of up and of down: what was there before is there again.
@Suite(.needs(.namespaces, .veth, .bridge), .timeLimit(.minutes(60)))
struct RollbackTests {
  static let codes = ["EPERM", "ENOMEM", "EEXIST", "EBUSY", "ENOBUFS"]

  @Test(arguments: ShippedLab.all)
  func `A failed up leaves nothing`(lab: ShippedLab) throws {
    let document = try lab.document()
    let before = try Snapshot(of: document.name)
    for step in sample(try countSteps(document).up, host: 40, sandbox: 15) {
      for code in isTorture && Sandbox.current == nil ? Self.codes : [Self.codes[step % 5]] {
        let faults = try #require(Faults("\(code):\(step)"))
        #expect(throws: (any Error).self, "\(code) at step \(step)") {
          try Lifecycle.with(faults).up(document, labFile: "test")
        }
        #expect(try Snapshot(of: document.name) == before, "\(code) at step \(step)")
        tally("errors rolled back")
      }
    }
  }

  @Test(arguments: ShippedLab.all)
  func `A failed down is finished by the next`(lab: ShippedLab) throws {
    let document = try lab.document()
    let before = try Snapshot(of: document.name)
    for step in sample(try countSteps(document).down, host: 6, sandbox: 4) {
      _ = try Lifecycle().up(document, labFile: "test")
      let faults = try #require(Faults("\(Self.codes[step % 5]):\(step)"))
      #expect(throws: (any Error).self) { try Lifecycle.with(faults).down(document.name) }
      try Lifecycle().down(document.name)
      #expect(try Snapshot(of: document.name) == before, "step \(step)")
      tally("errors of down finished by the next")
    }
  }

  /// Versions of TwoVMs: with another MTU, address and MAC; without a VM; with one more.
  static let versions: [@Sendable (inout LabDocument) -> Void] = [
    { document in
      document.networks[0].mtu = 1400
      document.ports[0].addresses = ["192.168.21.99"]
      document.ports[1].mac = "fa:16:3e:00:00:99"
    },
    { document in
      document.nodes.remove(at: document.lastVM)
      document.ports.removeLast()
      document.checks = []
    },
    { document in
      document.addVM("third") { ($0.addresses, $0.mac, $0.id) = (["192.168.21.70"], nil, nil) }
    },
  ]

  @Test(arguments: versions.indices)
  func `A failed change leaves the lab as it was`(version: Int) throws {
    let old = try ShippedLab.twoVMs().document()
    var new = old
    Self.versions[version](&new)
    let before = try Snapshot(of: old.name)
    let (up, changing) = (Lifecycle(), try #require(Faults()))
    _ = try up.up(old, labFile: "test")
    defer { _ = try? up.down(old.name) }
    _ = try Lifecycle.with(changing).up(new, labFile: "test")
    #expect(try up.isGood(old.name))
    _ = try up.up(old, labFile: "test")
    let state = FileManager.default.contents(atPath: "/run/netlab/\(old.name)/state.json")
    for step in sample(changing.steps, host: 40, sandbox: 15) {
      let faults = try #require(Faults("\(Self.codes[step % 5]):\(step)"))
      tally("errors rolled back")
      let error = #expect(throws: (any Error).self, "step \(step)") {
        try Lifecycle.with(faults).up(new, labFile: "test")
      }
      #expect(
        error.map { "\($0)".contains("undone") } == false, "step \(step): \(error.map { "\($0)" } ?? "")")
      #expect(
        try up.status(old.name).changes.map(\.summary) == [], "step \(step): \(error.map { "\($0)" } ?? "")")
      #expect(
        FileManager.default.contents(atPath: "/run/netlab/\(old.name)/state.json") == state, "step \(step)")
    }
    try up.down(old.name)
    #expect(try Snapshot(of: old.name) == before)
  }

  @Test func `The error names step, line, the kernel's words and what to do`() throws {
    let document = try ShippedLab.twoVMs().document()
    let steps = try countSteps(document).up
    let faults = try #require(Faults("ENOBUFS:\(steps - 3)"))
    let error = #expect(throws: RunnerError.self) { try Lifecycle.with(faults).up(document, labFile: "test") }
    let words = "\(try #require(error))"
    #expect(words.contains("TwoVMs.swift:"))
    #expect(words.contains("ip -n \(document.name)."))
    #expect(words.contains("No buffer space available (ENOBUFS)"))
    #expect(error?.remedy != nil)
  }

  @Test func `A wreck that is kept is described, and made whole by the next up`() throws {
    let document = try ShippedLab.twoVMs().document()
    let before = try Snapshot(of: document.name)
    let faults = try #require(Faults("ENOMEM:\(try countSteps(document).up / 2)"))
    #expect(throws: (any Error).self) {
      try Lifecycle.with(faults).up(document, labFile: "test", keepingWreck: true)
    }
    let status = try Lifecycle().status(document.name)
    #expect(status.state.phase == .comingUp)
    #expect(status.state.failure?.contains("ENOMEM") == true)
    #expect(!status.changes.isEmpty)
    _ = try Lifecycle().up(document, labFile: "test")
    #expect(try Lifecycle().isGood(document.name))
    try Lifecycle().down(document.name)
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test func `Cancelling undoes everything`() async throws {
    let document = try ShippedLab.twoVMs().document()
    let before = try Snapshot(of: document.name)
    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try Lifecycle().up(document, labFile: "test")
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try Snapshot(of: document.name) == before)
  }
}
