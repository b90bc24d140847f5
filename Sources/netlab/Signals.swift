import CNetlink
import Dispatch
import Glibc
import LabMachine
import Synchronization

/// A signal asked the program to end, and what it was doing has been cancelled and cleaned up.
struct EndedBySignal: Error {
  let signal: Int32
}

/// Whether signals are heard, so that what is under way is cleaned up.
enum Interruption {
  static var isHeard: Bool { hearing.load(ordering: .relaxed) }
  fileprivate static let hearing = Atomic(false)
}

/// Runs `body` in a task that SIGINT, SIGTERM and SIGHUP cancel; throws ``EndedBySignal`` when one did.
func cancelledBySignals<Success: Sendable>(
  _ body: @escaping @Sendable () async throws -> Success
) async throws -> Success {
  let received = Received()
  // Heard before there is anything to cancel: what is half begun must not just end. Dispatch's own signal sources begin
  // to hear some time after they are asked to.
  let signals = cnl_hear_signals()
  guard signals >= 0 else {
    throw RunnerError(.environment, unsafe "listen to signals: \(String(cString: cnl_error_text(errno)))")
  }
  let source = DispatchSource.makeReadSource(fileDescriptor: signals)
  source.setEventHandler {
    var number: UInt8 = 0
    while unsafe read(signals, &number, 1) == 1 { received.note(Int32(number)) }
  }
  source.resume()
  Interruption.hearing.store(true, ordering: .relaxed)
  let task = Task { try await body() }
  received.onFirst { task.cancel() }
  defer {
    Interruption.hearing.store(false, ordering: .relaxed)
    source.cancel()
    // One that comes while the program ends by the first must not change how it ends.
    if received.first == nil { cnl_obey_signals() }
  }
  do {
    return try await task.value
  } catch is CancellationError {
    throw EndedBySignal(signal: received.first ?? SIGINT)
  }
}

/// The first signal, and what to do then: whichever comes first.
private final class Received: Sendable {
  private let state = Mutex<(first: Int32?, action: (@Sendable () -> Void)?)>((nil, nil))

  var first: Int32? { state.withLock { $0.first } }

  func note(_ signal: Int32) {
    let action = state.withLock { state in
      state.first = state.first ?? signal
      return state.action
    }
    action?()
  }

  func onFirst(_ action: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.action = action
      return state.first != nil
    }
    if isLate { action() }
  }
}
