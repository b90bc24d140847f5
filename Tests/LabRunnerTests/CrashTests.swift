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

/// SIGKILL at each step of up and of down: whatever it leaves is removed by the next `down` or `clean`, and made whole by
/// the next `up`.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized, .timeLimit(.minutes(60)))
struct CrashTests {
  @Test(arguments: ShippedLab.all)
  func `A crash of up leaves nothing that cannot be recovered`(lab: ShippedLab) throws {
    let document = try lab.document()
    let file = try DocumentFile(document)
    let before = try Snapshot(of: document.name)
    let steps = try countSteps(document).up
    #expect(steps > 20)
    for (turn, step) in sample(steps, host: 18, sandbox: 3).enumerated() {
      try crash(document, ["up", file.path], at: "kill:\(step)")
      try recover(document, turn: turn)
      try expectRecovery(of: document, to: before, "step \(step), turn \(turn % 3)")
    }
  }

  @Test(arguments: ShippedLab.all)
  func `A crash of down leaves nothing that cannot be recovered`(lab: ShippedLab) throws {
    let document = try lab.document()
    let before = try Snapshot(of: document.name)
    let steps = try countSteps(document).down
    #expect(steps > 4)
    for (turn, step) in sample(steps, host: 6, sandbox: 2).enumerated() {
      _ = try Lifecycle().up(document, labFile: "test")
      try crash(document, ["down", document.name], at: "kill:\(step)")
      // `down` has forgotten the lab when only its lock is left to remove.
      try recover(document, turn: turn)
      try expectRecovery(of: document, to: before, "step \(step), turn \(turn % 3)")
    }
  }

  @Test func `A crash while a failure is being undone can be recovered`() throws {
    let document = try ShippedLab.twoVMs().document()
    let file = try DocumentFile(document)
    let before = try Snapshot(of: document.name)
    let steps = try countSteps(document).up
    for failure in sample(steps, host: 4, sandbox: 1) {
      let faults = try #require(Faults("ENOMEM:\(failure)"))
      #expect(throws: (any Error).self) { try Lifecycle.with(faults).up(document, labFile: "test") }
      guard faults.steps > failure else { continue }
      for (turn, step) in sample(faults.steps - failure, host: 4, sandbox: 2).enumerated() {
        try crash(document, ["up", file.path], at: "ENOMEM:\(failure),kill:\(failure + step)")
        try recover(document, turn: turn)
        try expectRecovery(of: document, to: before, "failure at \(failure), crash \(step) steps later")
      }
    }
  }

  @Test func `A crash while a running lab is changed can be recovered`() throws {
    let old = try ShippedLab.twoVMs().document()
    var new = old
    new.networks[0].mtu = 1400
    new.ports.removeLast()
    new.nodes.remove(at: new.lastVM)
    new.checks = []
    let file = try DocumentFile(new)
    let before = try Snapshot(of: old.name)
    let faults = try #require(Faults())
    _ = try Lifecycle().up(old, labFile: "test")
    _ = try Lifecycle.with(faults).up(new, labFile: "test")
    for (turn, step) in sample(faults.steps, host: 9, sandbox: 2).enumerated() {
      _ = try Lifecycle().up(old, labFile: "test")
      try crash(old, ["up", file.path], at: "kill:\(step)")
      try recover([old, new][turn % 2], turn: turn)
      // Before its first step, the lab was up.
      if step == 1, Lifecycle().store.hasTraces(of: old.name) { try Lifecycle().down(old.name) }
      try expectRecovery(of: old, to: before, "step \(step)")
    }
  }
}
