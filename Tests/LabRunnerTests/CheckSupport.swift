import Glibc
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

/// A lab that is up, to be broken.
struct RunningLab {
  let lab: ResolvedLab
  let captures: String
  var processes = netlab

  var runner: CheckRunner { CheckRunner(lab: lab, processes: processes, captureDirectory: captures) }

  /// Runs one check.
  func result(of check: some CheckValue) async throws -> CheckResult {
    try #require(try await runner.run(check.checkGroup.checkList).first)
  }

  /// What a check measured; the test fails when the check does.
  func passes(
    _ check: some CheckValue, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws -> String {
    let result = try await result(of: check)
    if case .passed(let detail) = result.outcome { return detail }
    Issue.record("\(result.title): \(result.outcome)", sourceLocation: sourceLocation)
    return ""
  }

  /// Why a check failed; the test fails when the check does not.
  func failure(
    of check: some CheckValue, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws -> Failure {
    let result = try await result(of: check)
    return try #require(result.failure, "\(result.title): \(result.outcome)", sourceLocation: sourceLocation)
  }

  /// Runs a command in a node, which must succeed: what breaks the lab.
  @discardableResult
  func run(_ command: String, on node: String) async throws -> String {
    let result = try await netlab.run(
      command.split(separator: " ").map(String.init), in: "/run/netns/\(lab.namespace(of: node))")
    try #require(result.status.isSuccess, "\(command): \(result.errorOutput)")
    return result.output
  }

  func port(_ vm: String) throws -> ResolvedPort { try #require(lab.vm(vm)?.ports.first) }
}

/// Brings a lab up under a name of its own, and down again.
func withLab(
  _ lab: some Lab, _ datapath: Datapath, _ body: (RunningLab) async throws -> Void
) async throws {
  var document = try LabDocument(of: lab, settings: [])
  document.name = "check-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  document.datapath = datapath
  let captures = try Files.makeTemporaryDirectory(in: "/tmp")
  _ = try Lifecycle().up(document, labFile: "test")
  let outcome: Result<Void, any Error>
  do {
    let lab = try document.resolved()
    outcome = .success(try await body(RunningLab(lab: lab, captures: captures)))
  } catch {
    outcome = .failure(error)
  }
  try Lifecycle().down(document.name)
  try Files.remove(captures)
  try outcome.get()
}

/// Three VMs on one network and one on another, all on one host.
struct FourVMs: Lab {
  let net = Network("net", subnets: ["10.77.0.0/24", "fd77::/64"])
  let other = Network("other", subnet: "10.78.0.0/24")

  var topology: some Topology {
    Host("host") {
      VM("a").port(on: net, addresses: ["10.77.0.1", "fd77::1"])
      VM("b").port(on: net, addresses: ["10.77.0.2", "fd77::2"])
      VM("c").port(on: net, addresses: ["10.77.0.3", "fd77::3"])
      VM("d").port(on: other, ip: "10.78.0.4")
    }
  }
}
