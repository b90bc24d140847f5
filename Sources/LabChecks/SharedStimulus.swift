import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Synchronization
import Values

/// Traffic that several captures watch at once: it is made when all of them listen.
actor SharedStimulus {
  private let make: @Sendable () async throws -> Failure?
  /// The captures that are still to come.
  private var missing: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var outcome: Task<Failure?, any Error>?

  init(captures: Int, make: @escaping @Sendable () async throws -> Failure?) {
    missing = captures
    self.make = make
  }

  /// Called by each capture when it listens: why the traffic went wrong, when it did.
  func watch() async throws -> Failure? {
    arrive()
    while missing > 0 {
      await withCheckedContinuation { waiting.append($0) }
    }
    let task = outcome ?? Task { try await make() }
    outcome = task
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Called for each capture that ends without having listened, such as one at a device that is not there.
  func arrive() {
    missing -= 1
    guard missing == 0 else { return }
    for capture in waiting { capture.resume() }
    waiting = []
  }
}

extension Check {
  /// The traffic that is watched, of a check that captures; `nil` of others.
  fileprivate var stimulus: [Check]? {
    switch value {
    case let check as Capture: check.stimulus
    case let check as Tagged: check.stimulus
    default: nil
    }
  }

  /// Whether both capture the same traffic: a loop over places around one ping.
  func watches(what other: Check) -> Bool { stimulus != nil && stimulus == other.stimulus }
}

extension CheckRunner {
  /// Runs one check, or several that capture the same traffic: that is made once, while all of them listen.
  func results(of checks: [Check]) async throws -> [CheckResult] {
    guard checks.count > 1, let stimulus = checks[0].stimulus else {
      return [try await result(of: checks[0])]
    }
    let shared = SharedStimulus(captures: checks.count) { try await stimulate(stimulus) }
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
