import LabModel
import Synchronization

/// Finds out by echo requests whether each pair of VMs that must talk does, and no other.
struct PairSweep {
  let rules: PairRules
  let context: CheckContext

  /// What was measured when all is as it must be; throws a `Failure` otherwise.
  func run() async throws -> String {
    let findings = try await findings()
    guard findings.missing.isEmpty, findings.leaks.isEmpty else {
      throw findings.failure(context.lab, rules)
    }
    // Whoever reached nobody has not shown that it can send at all.
    for sender in findings.unproven {
      for path in rules.vms.lazy.flatMap({ rules.paths(from: sender, to: $0) }).prefix(1) {
        try context.requireSender(context.lab.vms[sender].name, canReach: path.address)
      }
    }
    let microseconds = findings.slowest / 1000
    return "\(findings.answered) of \(findings.answered) pairs answer, the slowest after \(microseconds) µs"
      + (findings.silent > 0 ? "; \(findings.silent) that must not do not" : "")
  }

  private func findings() async throws -> SweepFindings {
    let isCancelled = Flag()
    return try await withTaskCancellationHandler {
      try await blocking {
        let stations = try EchoStations(
          rules.vms, of: context.lab, identifier: context.identifiers.next(), open: context.open)
        var sweep = EchoSweep(rules, stations) { isCancelled.isSet }
        try sweep.run()
        return SweepFindings(
          answered: sweep.answered, silent: sweep.silent, slowest: sweep.slowest, missing: sweep.missing,
          leaks: sweep.leaks, unproven: sweep.unproven.subtracting(sweep.proven))
      }
    } onCancel: {
      isCancelled.set()
    }
  }
}

/// Set once, from any thread.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
