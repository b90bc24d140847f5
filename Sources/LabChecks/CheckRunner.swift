import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import SystemPackage
import Values

/// Runs the checks of a lab that is up.
package struct CheckRunner: Sendable {
  let lab: ResolvedLab
  let processes: ProcessRunner
  let faults: Faults?
  let captureDirectory: String
  let explainer: Explainer
  let identifiers = EchoIdentifiers()
  let keptNames = KeptNames()

  /// Each ping is a process; more of them at once only wait for each other.
  private static let parallelChecks = 8

  /// - Parameters:
  ///   - captureDirectory: where the packets of failed captures are kept; made when it is needed.
  ///   - faults: what is to go wrong, in a test.
  package init(
    lab: ResolvedLab, processes: ProcessRunner = ProcessRunner(), captureDirectory: String,
    faults: Faults? = nil
  ) {
    self.lab = lab
    self.processes = processes.with(faults)
    self.faults = faults
    self.captureDirectory = captureDirectory
    explainer = Explainer(lab: lab.name, tracer: Tracer(runner: processes))
  }

  /// Runs all checks: independent ones side by side, then those that count packets one after the other.
  ///
  /// A failing check never stops the others. Why packets were lost is looked for while no check runs, as it takes
  /// packets: after the independent checks, and after each other one.
  /// - Parameter report: called as each check ends, or is explained; never by two at once.
  /// - Returns: the results in the order of the checks.
  /// - Throws: `CancellationError` only, after all that the checks had started is gone.
  package func run(
    _ checks: [Check], report: @Sendable (CheckResult) -> Void = { _ in }
  ) async throws -> [CheckResult] {
    var results = [CheckResult?](repeating: nil, count: checks.count)
    var explanations: [Passage: Explanation] = [:]
    func explain(_ index: Int) async throws {
      guard let passage = results[index]?.failure?.passage else { return }
      let explanation: Explanation
      if let known = explanations[passage] {
        explanation = known
      } else {
        explanation = try await explainer.explain(passage)
      }
      explanations[passage] = explanation
      results[index]?.explain(explanation)
    }
    func end(_ index: Int) {
      if let result = results[index] { report(result) }
    }

    var unexplained: [Int] = []
    // Also when the run is cancelled, what has failed is told.
    defer { unexplained.forEach(end) }
    try await withThrowingTaskGroup(of: (Int, CheckResult).self) { group in
      var waiting = checks.indices.filter { !checks[$0].value.isExclusive }[...]
      for _ in 0..<Self.parallelChecks {
        guard let index = waiting.popFirst() else { break }
        group.addTask { (index, try await result(of: checks[index])) }
      }
      while let (ended, result) = try await group.next() {
        results[ended] = result
        if result.failure?.passage == nil { end(ended) } else { unexplained.append(ended) }
        if let index = waiting.popFirst() {
          group.addTask { (index, try await self.result(of: checks[index])) }
        }
      }
    }
    while let index = unexplained.first {
      try await explain(index)
      end(unexplained.removeFirst())
    }
    var exclusive = checks.indices.filter { checks[$0].value.isExclusive }[...]
    while let first = exclusive.first {
      let together = exclusive.prefix { checks[$0].watches(what: checks[first]) }.prefix(Self.parallelChecks)
      unexplained = together.isEmpty ? [first] : Array(together)
      exclusive = exclusive.dropFirst(unexplained.count)
      for (index, result) in zip(unexplained, try await self.results(of: unexplained.map { checks[$0] })) {
        results[index] = result
      }
      while let index = unexplained.first {
        try await explain(index)
        end(unexplained.removeFirst())
      }
    }
    return results.compactMap { $0 }
  }

  /// Makes the traffic that a capture watches, by running checks: why it went wrong, when it did.
  package typealias Stimulation = ([Check]) async throws -> Failure?

  /// Runs one check; a capture can leave it to somebody else to make the traffic.
  package func result(of check: Check, stimulation: Stimulation? = nil) async throws -> CheckResult {
    let start = ContinuousClock.now
    let outcome: CheckResult.Outcome
    do {
      try takeStep()
      let detail = try await perform(check, stimulation ?? stimulate)
      try takeStep()
      outcome = .passed(detail: detail)
    } catch let failure as Failure {
      outcome = .failed(failure)
    } catch let skip as Skip {
      outcome = .skipped(reason: skip.reason)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      outcome = .failed(Failure(expected: check.value.title, seen: "\(error)"))
    }
    try Task.checkCancellation()
    return CheckResult(check: check, outcome: outcome, duration: ContinuousClock.now - start)
  }

  private func takeStep() throws {
    if let code = faults?.next() { throw FileError("run a check", Errno(rawValue: code)) }
  }

  /// Runs one check: what it measured when it holds, and throws a `Failure` or a `Skip` otherwise.
  private func perform(_ check: Check, _ stimulate: Stimulation) async throws -> String {
    switch check.value {
    case let check as Ping: try await perform(check)
    case let check as Unreachable: try await perform(check)
    case let check as Capture: try await perform(check) { try await stimulate(check.stimulus) }
    case let check as Tagged: try await perform(check) { try await stimulate(check.stimulus) }
    case let check as NotFlooded: try await perform(check)
    case let check as Traceroute: try await perform(check)
    case let check as TCP: try await perform(check)
    case let check as LabKit.Neighbour: try await perform(check)
    case let check as SameTag: try perform(check)
    case let check as DifferentTag: try perform(check)
    case let check as Run: try await perform(check)
    case let check as AllPairs: try await perform(check)
    case let check as Reachable: try await perform(check)
    default: throw Skip(reason: "no runner")
    }
  }

  /// The path of a node's namespace.
  func namespace(of node: String) -> String { OpenNamespace.path(of: lab.namespace(of: node)) }

  /// A node's namespace, open, with a connection.
  func open(_ node: String) throws -> OpenNamespace {
    let name = lab.namespace(of: node)
    guard let namespace = try OpenNamespace.open(name) else {
      throw Failure(expected: "the namespace \(name)", seen: "there is none: the lab is not up")
    }
    return namespace
  }

  /// A VM of the lab.
  func vm(_ name: String) throws -> ResolvedVM {
    guard let vm = lab.vm(name) else { throw Failure(expected: "the VM \(name)", seen: "there is none") }
    return vm
  }

  /// Runs a tool that the check needs in a node's namespace.
  func run(_ command: [String], on node: String, timeout: Duration) async throws -> ProcessResult {
    let result = try await processes.run(command, in: namespace(of: node), timeout: timeout)
    if result.status == .exited(127), let tool = CheckTool(rawValue: command[0]) {
      throw Failure(expected: "the program \(tool.rawValue)", seen: tool.absence)
    }
    return result
  }
}

extension ProcessResult {
  /// The lines of both streams that say something, those of standard error last.
  var lines: [String] {
    (output + "\n" + errorOutput).split(whereSeparator: \.isNewline).map(String.init)
  }
}
