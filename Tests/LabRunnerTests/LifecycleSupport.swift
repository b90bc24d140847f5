import Foundation
import LabKit
import Subprocess
import SystemPackage
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

/// A lab that ships, on one of the datapaths, under a name of the test's own.
struct ShippedLab: CustomTestStringConvertible, Sendable {
  let lab: String
  let datapath: Datapath

  var testDescription: String { "\(lab) \(datapath.rawValue)" }

  /// All that this kernel can do; in the slow sandbox, those that the host's kernel may not be able to.
  static let all: [ShippedLab] =
    ["TwoVMs", "TwoSubnets", "TwoNetworks", "TrunkVM", "Crowd", "Impaired", Self.programs].flatMap { lab in
      Datapath.allCases.map { ShippedLab(lab: lab, datapath: $0) }
    }.filter { lab in
      if Sandbox.current != nil, lab.datapath == .linuxbridge, lab.lab != "TrunkVM" { return false }
      guard let blueprint = try? lab.document().resolved().blueprint() else { return true }
      return KernelProbe.missing(blueprint.features).isEmpty
    }

  /// TwoVMs with services, and something to do when a VM is new.
  static let programs = "TwoVMs with services"

  static func twoVMs(_ datapath: Datapath = .linuxbridge) -> ShippedLab {
    ShippedLab(lab: "TwoVMs", datapath: datapath)
  }

  func document() throws -> LabDocument {
    let settings = lab == "Crowd" ? ["--set", "vms=5"] : []
    let program = lab == Self.programs ? "TwoVMs" : lab
    let output = try runProgram([builtProgram(program), "--emit-topology"] + settings)
    var document = try LabDocument(json: Array(output.output.utf8))
    document.datapath = datapath
    document.name = "t\(UInt32.random(in: 0...(.max)))"
    if lab == Self.programs {
      document.addService("sleeper", on: "focal-1", ["sleep", "1000"])
      document.addService("teller", on: "focal-2", ["sh", "-c", "echo ready; exec sleep 1000"]) {
        $0.ready = .line("ready")
        $0.needs = ["focal-1.sleeper"]
      }
      document.changeVM("focal-1") { $0.setup = ["true"] }
    }
    return document
  }
}

/// All steps instead of some of them: `make torture`.
let isTorture = ProcessInfo.processInfo.environment["NETLAB_TORTURE"] != nil

/// Some of the steps, or all; on the host the first and the last ones always. In the sandbox a process costs half a second.
func sample(_ steps: Int, host: Int, sandbox: Int) -> [Int] {
  let wanted = Sandbox.current == nil ? host : sandbox
  if isTorture || steps <= wanted { return Array(1...steps) }
  let distance = steps / wanted
  let some = Array(stride(from: Int.random(in: 1...distance), through: steps, by: distance))
  return Sandbox.current == nil ? Set([1, 2, 3, steps] + some).sorted() : some
}

func builtProgram(_ name: String) -> String {
  FilePath((try? ownProgram()) ?? "").removingLastComponent().appending(name).string
}

struct ProgramRun {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a program to its end; a signal's number counts as 128 and itself.
@discardableResult
func runProgram(_ command: [String], environment: [String: String] = [:]) throws -> ProgramRun {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = environment.map { "\($0)=\($1)" } + command
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  process.standardInput = FileHandle.nullDevice
  try process.run()
  let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  let complaint = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
  return ProgramRun(status: status, output: text, errors: complaint)
}

/// What there is on this machine of a lab. Tests run at once, so what others make is left out.
struct Snapshot: Equatable, CustomStringConvertible {
  var namespaces: [String]
  var mounts: [String]
  var files: [String]
  var links: [String]
  /// Programs that were started for it and do not end.
  var processes: [String]

  init(of lab: String) throws {
    namespaces = try Self.namespaces(of: lab)
    mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
      .map(String.init).filter { $0.contains("/run/netns/\(lab).") }
    files = try Files.list("/run/netlab/\(lab)") + Files.list("/run/netlab").filter { $0 == lab }
    links = try Files.list("/sys/class/net").sorted()
    processes = []
    _ = try isTrueSoon {
      processes = try Self.processes(of: lab)
      return processes.isEmpty
    }
  }

  var description: String {
    "namespaces \(namespaces), mounts \(mounts), files \(files), links \(links), processes \(processes)"
  }

  static func namespaces(of lab: String) throws -> [String] {
    try Files.list("/run/netns").filter { $0.hasPrefix("\(lab).") }.sorted()
  }

  /// The processes that have a lab's name in their arguments or their environment, which all inherit that a netlab of
  /// ``runProgram(_:environment:)`` with ``labMark(_:)`` starts: by their arguments.
  static func processes(of lab: String) throws -> [String] {
    try Files.list("/proc").compactMap { process in
      guard Int32(process) != nil, process != "\(getpid())",
        let arguments = try? Files.read("/proc/\(process)/cmdline"),
        let environment = try? Files.read("/proc/\(process)/environ"),
        Data(arguments + environment).range(of: Data(lab.utf8)) != nil
      else { return nil }
      return String(decoding: arguments.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }
  }
}

/// A document as a file, for the command line; removed with the value.
final class DocumentFile {
  let path: String

  init(_ document: LabDocument) throws {
    path = "\(FileManager.default.temporaryDirectory.path)/netlab-\(UUID().uuidString).json"
    try Data(document.json.utf8).write(to: URL(filePath: path))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension Lifecycle {
  /// A life cycle with faults.
  static func with(_ faults: Faults?) -> Lifecycle {
    var lifecycle = Lifecycle()
    lifecycle.faults = faults
    return lifecycle
  }

  /// Whether a lab is as it should be.
  func isGood(_ lab: String) throws -> Bool {
    let status = try status(lab)
    return status.changes.isEmpty && status.unmanaged.isEmpty && status.foreign.isEmpty
      && status.state.phase == .up
  }
}

/// How many steps there are in bringing a lab up, and in taking it down.
func countSteps(_ document: LabDocument) throws -> (up: Int, down: Int) {
  let (up, down) = (try #require(Faults()), try #require(Faults()))
  _ = try Lifecycle.with(up).up(document, labFile: "test")
  try Lifecycle.with(down).down(document.name)
  return (up.steps, down.steps)
}

/// How many steps there are in running a lab's checks.
func countCheckSteps(_ document: LabDocument) async throws -> Int {
  let faults = try #require(Faults())
  _ = try Lifecycle().up(document, labFile: "test")
  let runner = CheckRunner(lab: try document.resolved(), captureDirectory: "/nowhere", faults: faults)
  let results = try await runner.run(document.checks)
  try Lifecycle().down(document.name)
  #expect(results.allSatisfy { $0.failure == nil })
  return faults.steps
}

/// An environment by which ``Snapshot`` knows what is started for a lab.
func labMark(_ lab: String) -> [String: String] { ["NETLAB_TESTED_LAB": lab] }

/// Runs netlab so that it kills itself at a step.
func crash(_ document: LabDocument, _ command: [String], at step: String) throws {
  let environment = labMark(document.name).merging(["NETLAB_FAULT": step]) { $1 }
  let run = try runProgram([builtProgram("netlab")] + command, environment: environment)
  #expect(run.status == 128 + 9, "\(command) \(step): \(run.output)\(run.errors)")
  tally("crashes tried")
}

/// Removes the wreck of a lab in one of three ways, in turn.
func recover(_ document: LabDocument, turn: Int) throws {
  let lifecycle = Lifecycle()
  switch turn % 3 {
  case 0: try lifecycle.down(document.name)
  case 1:
    for leftover in try lifecycle.leftovers(includingRunning: true) where leftover.lab == document.name {
      try lifecycle.clean(leftover)
    }
  default:
    _ = try lifecycle.up(document, labFile: "test")
    #expect(try lifecycle.isGood(document.name))
    try lifecycle.down(document.name)
  }
}

/// Everything has to be as it was before something went wrong.
func expectRecovery(
  of document: LabDocument, to before: Snapshot, _ comment: String, counted: String = "crashes survived",
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  let after = try Snapshot(of: document.name)
  #expect(after == before, "\(comment): \(before), then \(after)", sourceLocation: sourceLocation)
  tally(after == before ? counted : "leaks")
}

/// A netlab that runs beside the test.
func startNetlab(_ arguments: [String], for lab: String) throws -> Process {
  let process = Process()
  process.executableURL = URL(filePath: builtProgram("netlab"))
  process.arguments = arguments
  process.environment = ProcessInfo.processInfo.environment.merging(labMark(lab)) { $1 }
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = FileHandle.nullDevice
  process.standardError = FileHandle.nullDevice
  try process.run()
  return process
}

/// Waits until so many commands of a kind run for a lab.
func wait(for count: Int, of command: String, in lab: String, startedBy netlab: Process) throws {
  while try Snapshot.processes(of: lab).count(where: { $0.hasPrefix(command) }) < count {
    try #require(netlab.isRunning, "netlab ended before \(command) ran")
  }
}

/// Asks again, for at most ten seconds, until it is true: what was killed goes in the kernel's own time.
func isTrueSoon(_ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(10)
  while try !condition() {
    if .now > deadline { return false }
  }
  return true
}

/// Adds a line to what `make torture` sums up.
func tally(_ what: String, _ count: Int = 1) {
  guard let path = ProcessInfo.processInfo.environment["NETLAB_TORTURE"] else { return }
  let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
  let log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  try? log.write(contentsOf: Data("\(count)\t\(what)\n".utf8))
}

extension Lifecycle {
  /// Brings up the lab of a document.
  @discardableResult
  func up(_ document: LabDocument, labFile: String, keepingWreck: Bool = false) throws -> UpReport {
    try up(document.resolved(), labFile: labFile, keepingWreck: keepingWreck)
  }
}

extension LabDocument {
  mutating func addService(
    _ name: String, on node: String, _ command: [String], _ change: (inout LabKit.Service) -> Void = { _ in }
  ) {
    var service = LabKit.Service(
      node: node, name: name, command: command, location: SourceLocation(file: "test", line: 1, column: 1))
    change(&service)
    services.append(service)
  }

  mutating func changeVM(_ name: String, _ change: (inout VM) -> Void) {
    for index in nodes.indices {
      guard var vm = nodes[index].declaration as? VM, vm.name == name else { continue }
      change(&vm)
      nodes[index].declaration = vm
    }
  }

  /// The last node that runs on a host.
  var lastVM: Int { nodes.lastIndex(where: \.standsOnHost) ?? 0 }

  /// Adds a VM with a port like the first.
  mutating func addVM(_ name: String, _ change: (inout LabKit.Port) -> Void = { _ in }) {
    var vm = VM(name)
    vm.host = nodes[lastVM].host
    nodes.append(Node(vm))
    var port = ports[0]
    port.node = name
    change(&port)
    ports.append(port)
  }
}
