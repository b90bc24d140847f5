import Foundation
import LabKit
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import LabRunner

/// A lab that ships, on one of the datapaths, under a name of the test's own.
struct ShippedLab: CustomTestStringConvertible, Sendable {
  let lab: String
  let datapath: Datapath

  var testDescription: String { "\(lab) \(datapath.rawValue)" }

  /// All that this kernel can do.
  static let all: [ShippedLab] = ["TwoVMs", "TwoSubnets", "TwoNetworks", "TrunkVM", "Crowd"].flatMap { lab in
    Datapath.allCases.map { ShippedLab(lab: lab, datapath: $0) }
  }.filter { lab in
    guard let blueprint = try? lab.document().resolved().blueprint() else { return true }
    return KernelProbe.missing(blueprint.neededFeatures).isEmpty
  }

  static func twoVMs(_ datapath: Datapath = .linuxbridge) -> ShippedLab {
    ShippedLab(lab: "TwoVMs", datapath: datapath)
  }

  func document() throws -> LabDocument {
    let settings = lab == "Crowd" ? ["--set", "vms=5"] : []
    let output = try runProgram([builtProgram(lab), "--emit-topology"] + settings)
    var document = try LabDocument(json: Array(output.output.utf8))
    document.datapath = datapath
    document.name = "t\(UInt32.random(in: 0...(.max)))"
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

  init(of lab: String) throws {
    namespaces = try Files.list("/run/netns").filter { $0.hasPrefix("\(lab).") }.sorted()
    mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
      .map(String.init).filter { $0.contains("/run/netns/\(lab).") }
    files = try Files.list("/run/netlab/\(lab)") + Files.list("/run/netlab").filter { $0 == lab }
    links = try Files.list("/sys/class/net").sorted()
  }

  var description: String { "namespaces \(namespaces), mounts \(mounts), files \(files), links \(links)" }
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
