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
