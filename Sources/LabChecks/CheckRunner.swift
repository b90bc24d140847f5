import LabKit
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Synchronization
import SystemPackage

/// Runs the checks of a lab that is up: in which order, how long each takes, and why it failed.
package struct CheckRunner: Sendable {
  private let lab: ResolvedLab
  private let processes: ProcessRunner
  private let faults: Faults?
  private let explainer: Explainer
  private let identifiers = EchoIdentifiers()
  private let captures: KeptCaptures

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
    explainer = Explainer(lab: lab.name, tracer: Tracer(runner: processes))
    captures = KeptCaptures(in: captureDirectory)
  }

  /// Runs all checks: independent ones side by side, then those that count packets one after the other.
  ///
  /// A failing check never stops the others. Why packets were lost is looked for while no check runs, as it takes
  /// packets: after the independent checks, and after each other one.
  /// - Parameter report: called as each check ends, or is explained; never by two at once.
  /// - Returns: the results in the order of the checks.
  /// - Throws: `CancellationError` only, after all that the checks had started is gone.
  package func run(
    _ checks: [Check], report: @escaping @Sendable (CheckResult) -> Void = { _ in }
  ) async throws -> [CheckResult] {
    var progress = CheckProgress(checks.count, explainer: explainer, report: report)
    // A run that is cancelled reports the failures so far.
    defer { progress.reportHeld() }
    try await withThrowingTaskGroup(of: (Int, CheckResult).self) { group in
      var waiting = checks.indices.filter { !checks[$0].value.isExclusive }[...]
      for _ in 0..<Self.parallelChecks {
        guard let index = waiting.popFirst() else { break }
        group.addTask { (index, try await result(of: checks[index])) }
      }
      while let (ended, result) = try await group.next() {
        if result.failure?.passage == nil {
          progress.report(result, at: ended)
        } else {
          progress.hold(result, at: ended)
        }
        if let index = waiting.popFirst() {
          group.addTask { (index, try await self.result(of: checks[index])) }
        }
      }
    }
    try await progress.explainHeld()
    var exclusive = checks.indices.filter { checks[$0].value.isExclusive }[...]
    while let first = exclusive.first {
      let watching = exclusive.prefix { checks[$0].watches(what: checks[first]) }.prefix(Self.parallelChecks)
      let together = watching.isEmpty ? [first] : Array(watching)
      exclusive = exclusive.dropFirst(together.count)
      for (index, result) in zip(together, try await results(of: together.map { checks[$0] })) {
        progress.hold(result, at: index)
      }
      try await progress.explainHeld()
    }
    return progress.results
  }

  /// Runs one check.
  package func result(of check: Check) async throws -> CheckResult {
    try await result(of: check, stimulate: stimulate)
  }

  private func result(
    of check: Check, stimulate: @escaping CheckContext.Stimulation
  ) async throws -> CheckResult {
    let start = ContinuousClock.now
    let context = CheckContext(
      lab: lab, processes: processes, identifiers: identifiers, captures: captures, stimulate: stimulate)
    let outcome = try await CheckResult.Outcome(of: check) {
      try takeStep()
      let detail = try await check.runnable.run(in: context)
      try takeStep()
      return detail
    }
    try Task.checkCancellation()
    return CheckResult(check: check, outcome: outcome, duration: ContinuousClock.now - start)
  }

  private func takeStep() throws {
    if let code = faults?.next() { throw FileError("run a check", Errno(rawValue: code)) }
  }

  /// Runs the checks that make traffic, one after the other: what failed first, or else could not be determined.
  @Sendable private func stimulate(_ checks: [Check]) async throws -> Failure? {
    var results: [CheckResult] = []
    for check in checks { results.append(try await result(of: check)) }
    let reasons = results.compactMap { if case .skipped(let reason) = $0.outcome { reason } else { nil } }
    if let reason = reasons.first, reasons.count == checks.count { throw Skip(reason: reason) }
    let failed = results.first { $0.failure != nil }
    guard let result = failed ?? results.first(where: { $0.problem != nil }), var problem = result.problem
    else { return nil }
    problem.expected = "the traffic to pass: \(result.title): \(problem.expected)"
    return problem
  }

  /// Runs one check, or several that watch the same traffic: that is made once, while all of them listen.
  private func results(of checks: [Check]) async throws -> [CheckResult] {
    guard checks.count > 1, let watched = checks[0].runnable.watched else {
      return [try await result(of: checks[0])]
    }
    let shared = SharedStimulus(captures: checks.count) { try await stimulate(watched) }
    return try await withThrowingTaskGroup(of: (Int, CheckResult).self) { group in
      for (index, check) in checks.enumerated() {
        group.addTask { (index, try await result(of: check, watching: shared)) }
      }
      var results = [CheckResult?](repeating: nil, count: checks.count)
      for try await (index, result) in group { results[index] = result }
      return results.compactMap { $0 }
    }
  }

  private func result(of check: Check, watching shared: SharedStimulus) async throws -> CheckResult {
    let listened = Atomic(false)
    let ended: Result<CheckResult, any Error>
    do {
      ended = .success(
        try await result(of: check) { _ in
          listened.store(true, ordering: .relaxed)
          return try await shared.watch()
        })
    } catch {
      ended = .failure(error)
    }
    if !listened.load(ordering: .relaxed) { await shared.arrive() }
    return try ended.get()
  }
}
