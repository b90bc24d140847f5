import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses

/// What a check may use while it runs: the lab, its nodes, and programs inside them.
struct CheckContext: Sendable {
  /// Runs checks, one after the other, for their traffic. Returns what went wrong first, if anything did.
  typealias Stimulation = @Sendable ([Check]) async throws -> Failure?

  let lab: ResolvedLab
  let processes: ProcessRunner
  let identifiers: EchoIdentifiers
  let captures: KeptCaptures
  /// Makes the traffic that a capture watches. Called by a capture when it listens.
  let stimulate: Stimulation

  /// A VM of the lab.
  func vm(_ name: String) throws -> ResolvedNode {
    guard let vm = lab.vm(name) else { throw Failure(expected: "the VM \(name)", seen: "there is none") }
    return vm
  }

  /// A VM's port on a network, or its first one.
  func port(of vm: String, on network: String?) throws -> ResolvedPort {
    let ports = try self.vm(vm).allPorts
    let found =
      network == nil ? ports.first : ports.first(where: { lab.networks[$0.network].name == network })
    guard let found else {
      throw Failure(
        expected: "a port of \(vm)\(network.map { " on \($0)" } ?? "")",
        seen: "its ports are on \(ports.map { lab.networks[$0.network].name })")
    }
    return found
  }

  /// The path of a node's namespace.
  func namespace(of node: String) -> String { place(of: node).namespace }

  /// Where the lab's commands run in a node.
  func place(of node: String) -> NodePlace { LabStore().place(of: node, in: lab) }

  /// A node's namespace, open, with a connection.
  func open(_ node: String) throws -> OpenNamespace {
    let name = lab.namespace(of: node)
    guard let namespace = try OpenNamespace.open(name) else {
      throw Failure(expected: "the namespace \(name)", seen: "there is none: the lab is not up")
    }
    return namespace
  }

  /// Runs one of the check's ``RunnableCheck/tools`` in a node's namespace.
  func run(
    _ tool: CheckTool, _ arguments: [String], on node: String, timeout: Duration
  ) async throws -> ProcessResult {
    try await processes.run(
      [tool.rawValue] + arguments, in: namespace(of: node), environment: processes.toolEnvironment,
      timeout: timeout)
  }
}

extension ProcessResult {
  /// The lines of both streams that say something, those of standard error last.
  var lines: [String] {
    (output + "\n" + errorOutput).split(whereSeparator: \.isNewline).map(String.init)
  }
}

extension [String] {
  /// The first few, for a report.
  var shown: [String] {
    count <= 10 ? self : prefix(10) + ["… and \(count - 10) more"]
  }
}
