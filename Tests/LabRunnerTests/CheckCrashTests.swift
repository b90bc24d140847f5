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

/// SIGKILL while checks run: no program that they started lives on, and the lab can be recovered.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized, .timeLimit(.minutes(60)))
struct CheckCrashTests {
  @Test(arguments: ShippedLab.all)
  func `A crash of verify leaves nothing that cannot be recovered`(lab: ShippedLab) async throws {
    let document = try lab.document()
    let before = try Snapshot(of: document.name)
    let steps = try await countCheckSteps(document)
    #expect(steps > 2)
    for (turn, step) in some(of: steps, host: 3, sandbox: 1).enumerated() {
      _ = try Lifecycle().up(document, labFile: "test")
      try crash(document, ["verify", document.name], at: "kill:\(step)")
      try recover(document, turn: turn)
      try expectRecovery(of: document, to: before, "step \(step), turn \(turn % 3)")
    }
  }

  @Test(arguments: ShippedLab.all)
  func `A crash of test leaves nothing that cannot be recovered`(lab: ShippedLab) async throws {
    let document = try lab.document()
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let (own, checks) = (try countSteps(document), try await countCheckSteps(document))
    // What comes before and after the checks is what `up` and `down` do.
    for (turn, step) in some(of: checks + own.down, host: 2, sandbox: 1).enumerated() {
      try crash(document, ["test", "--kernel", "host", file.path], at: "kill:\(own.up + step)")
      // The last step is the removal of the lock, and of that alone nobody needs to know.
      try recover(document, turn: turn)
      try expectRecovery(of: document, to: before, "step \(step), turn \(turn % 3)")
    }
  }

  /// Evenly over all steps, from a random one on.
  private func some(of steps: Int, host: Int, sandbox: Int) -> [Int] {
    if isTorture && Sandbox.current == nil { return Array(1...steps) }
    let distance = max(1, steps / (isTorture ? 6 : Sandbox.current == nil ? host : sandbox))
    return Array(stride(from: Int.random(in: 1...distance), through: steps, by: distance))
  }

  /// A shell, its child, and one that has left its session and forgotten its environment.
  @Test(arguments: ["verify", "test"])
  func `What a check has started dies with netlab, and so does what that has started`(command: String) throws
  {
    var document = try ShippedLab.twoVMs().document()
    let script = "env -i setsid sh -c 'sleep 1001; : \(document.name)' & sleep 1002 & sleep 1003; :"
    document.checks = Run(on: "focal-1", "sh", "-c", script).checkGroup.checkList
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    if command == "verify" { _ = try Lifecycle().up(document, labFile: "test") }
    let netlab = try startNetlab(
      [command, file.path] + (command == "test" ? ["--kernel", "host"] : []), for: document.name)
    try wait(for: 1, of: "sleep 1002", in: document.name, startedBy: netlab)
    try wait(for: 1, of: "sleep 1003", in: document.name, startedBy: netlab)
    try wait(for: 1, of: "sh -c sleep 1001", in: document.name, startedBy: netlab)
    let namespaces = try inodes(of: document.name)
    #expect(try users(of: namespaces).count >= 5)
    killHard(netlab)
    try recover(document, turn: 0)
    try expectRecovery(of: document, to: before, "after \(#function)")
    #expect(try isTrueSoon { try users(of: namespaces).isEmpty })
  }

  @Test func `A tcpdump dies with netlab, and what it has written goes with the lab`() throws {
    var document = try ShippedLab.twoVMs().document()
    document.checks =
      Capture(at: "focal-1", filter: "icmp", while: { Run(on: "focal-1", "sleep", "1004") }).checkGroup
      .checkList
    let before = try Snapshot(of: document.name)
    _ = try Lifecycle().up(document, labFile: "test")
    let file = try DocumentFile(document)
    let netlab = try startNetlab(["verify", file.path], for: document.name)
    try wait(for: 1, of: "sleep 1004", in: document.name, startedBy: netlab)
    try wait(for: 1, of: "tcpdump", in: document.name, startedBy: netlab)
    #expect(try !Files.list("/run/netlab/\(document.name)/work").isEmpty)
    killHard(netlab)
    try recover(document, turn: 0)
    try expectRecovery(of: document, to: before, "after \(#function)")
  }

  @Test func `A process that is left is noticed`() throws {
    let (lab, sleeper) = ("t\(UInt32.random(in: 0...(.max)))", Process())
    sleeper.executableURL = URL(filePath: "/usr/bin/env")
    sleeper.arguments = ["sleep", "1005"]
    sleeper.environment = labMark(lab).merging(["PATH": "/usr/bin:/bin"]) { $1 }
    #expect(try Snapshot.processes(of: lab) == [])
    try sleeper.run()
    while try Snapshot.processes(of: lab).isEmpty {}
    #expect(try Snapshot.processes(of: lab) == ["sleep 1005 "])
    kill(sleeper.processIdentifier, SIGKILL)
    #expect(try Snapshot(of: lab).processes == [])
  }

  private func killHard(_ netlab: Process) {
    kill(netlab.processIdentifier, SIGKILL)
    netlab.waitUntilExit()
    tally("crashes tried")
  }

  private func inodes(of lab: String) throws -> Set<UInt> {
    Set(try Snapshot.namespaces(of: lab).compactMap { Files.identity(of: "/run/netns/\($0)")?.inode })
  }

  /// The processes that are in one of some network namespaces.
  private func users(of namespaces: Set<UInt>) throws -> [String] {
    try Files.list("/proc").filter { process in
      Int32(process) != nil
        && Files.identity(of: "/proc/\(process)/ns/net").map { namespaces.contains($0.inode) } == true
    }
  }
}
