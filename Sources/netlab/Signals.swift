internal import Dispatch
internal import Glibc
internal import Synchronization

/// A signal asked the program to end, and what it was doing has been cancelled and cleaned up.
struct EndedBySignal: Error {
  let signal: Int32
}

/// Runs `body` in a task that SIGINT, SIGTERM and SIGHUP cancel; throws ``EndedBySignal`` when one did.
func cancelledBySignals<Success: Sendable>(
  _ body: @escaping @Sendable () async throws -> Success
) async throws -> Success {
  let task = Task { try await body() }
  let received = Received()
  let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number)
    source.setEventHandler {
      received.first.withLock { $0 = $0 ?? number }
      task.cancel()
    }
    source.resume()
    return source
  }
  defer {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }
  do {
    return try await task.value
  } catch is CancellationError {
    throw EndedBySignal(signal: received.first.withLock { $0 } ?? SIGINT)
  }
}

private final class Received: Sendable {
  let first = Mutex<Int32?>(nil)
}
