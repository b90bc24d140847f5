import Foundation
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

/// Signals end what netlab does, and not before everything is as it was.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized, .timeLimit(.minutes(60)))
struct SignalTests {
  static let signals: [(name: String, status: Int32)] = [("INT", 130), ("TERM", 143), ("HUP", 129)]

  /// Runs netlab with a signal before a step, and another one before the next.
  private func run(_ command: [String], of lab: String, signal: String, at step: Int) throws -> ProgramRun {
    let faults = ["NETLAB_FAULT": "\(signal):\(step),\(signal):\(step + 1)"]
    return try runProgram(
      [builtProgram("netlab")] + command, environment: labMark(lab).merging(faults) { $1 })
  }

  @Test func `Signals at any two steps of up undo everything`() throws {
    let document = try ShippedLab.twoVMs().document()
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let steps = try countSteps(document).up
    for step in sample(steps - 1, host: 6, sandbox: 2) {
      let (signal, status) = Self.signals[step % 3]
      let up = try run(["up", file.path], of: document.name, signal: signal, at: step)
      #expect(up.status == status, "\(signal) at step \(step): \(up.errors)")
      try expectRecovery(of: document, to: before, "\(signal) at step \(step)", counted: "signals obeyed")
    }
    // When only the state is left to write, the lab is up.
    #expect(try run(["up", file.path], of: document.name, signal: "INT", at: steps).status == 0)
    #expect(try Lifecycle().isGood(document.name))
    try Lifecycle().down(document.name)
  }

  @Test func `Signals at any two steps of test take the lab down`() async throws {
    let document = try ShippedLab.twoVMs().document()
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let (own, checks) = (try countSteps(document), try await countCheckSteps(document))
    let command = ["test", "--kernel", "host", file.path]
    for step in sample(own.up + checks, host: 8, sandbox: 2) {
      let (signal, status) = Self.signals[step % 3]
      let test = try run(command, of: document.name, signal: signal, at: step)
      #expect(test.status == status, "\(signal) at step \(step): \(test.output)\(test.errors)")
      try expectRecovery(of: document, to: before, "\(signal) at step \(step)", counted: "signals obeyed")
    }
    // With all checks done, it ends as it would have ended.
    let late = try run(command, of: document.name, signal: "TERM", at: own.up + checks + 1)
    #expect(late.status == 0, "\(late.output)\(late.errors)")
    #expect(try Snapshot(of: document.name) == before)
  }

  /// As a terminal does it: the whole process group gets the signal, twice.
  @Test(arguments: signals) func `A signal to the process group of a test`(signal: String, status: Int32)
    throws
  {
    var document = try ShippedLab.twoVMs().document()
    document.checks = Run(on: "focal-1", "sh", "-c", "sleep 1006 & sleep 1007; :").checkGroup.checkList
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let netlab = try startNetlab(["test", "--kernel", "host", file.path], for: document.name)
    try wait(for: 1, of: "sleep 1006", in: document.name, startedBy: netlab)
    try wait(for: 1, of: "sleep 1007", in: document.name, startedBy: netlab)
    let group = getpgid(netlab.processIdentifier)
    try #require(group > 1 && group != getpgrp())
    let number = status - 128
    kill(-group, number)
    kill(-group, number)
    netlab.waitUntilExit()
    #expect(netlab.terminationReason == .exit && netlab.terminationStatus == status)
    try expectRecovery(of: document, to: before, "after SIG\(signal)", counted: "signals obeyed")
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `A signal during up undoes everything, a second one as well`(signal: Int32, status: Int32) throws {
    var document = try ShippedLab(lab: "Crowd", datapath: .linuxbridge).document()
    for number in 10..<(Sandbox.current == nil ? 300 : 80) {
      document.addVM("vm-\(number)")
    }
    document.checks = []
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let process = try startNetlab(["up", file.path], for: document.name)
    // The first namespace is there when the work has begun.
    while try Snapshot.namespaces(of: document.name).isEmpty, process.isRunning {}
    kill(process.processIdentifier, signal)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == status)
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test func `A signal ends waiting for another netlab, unless it was started to ignore it`() async throws {
    let document = try ShippedLab.twoVMs().document()
    let (file, netlab) = (try DocumentFile(document), builtProgram("netlab"))
    do {
      let lock = try Lifecycle().store.lock(document.name) {}
      defer { extendLifetime(lock) }
      let run = try runProgram([
        "bash", "-c",
        """
        trap '' HUP; \(netlab) up \(file.path) 2>\(file.path).errors & netlab=$!
        until grep -q 'waiting for another netlab' \(file.path).errors; do :; done
        kill -HUP $netlab; kill -TERM $netlab; wait $netlab; status=$?; rm \(file.path).errors; exit $status
        """,
      ])
      #expect(run.status == 143)
    }
    try Lifecycle().down(document.name)
    #expect(try Snapshot(of: document.name).files == [])
  }
}
