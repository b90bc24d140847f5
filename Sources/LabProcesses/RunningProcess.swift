import LabMachine
import LabModel
import Synchronization

/// A process that runs while the body of ``ProcessRunner/withProcess(_:in:environment:outputLimit:body:)`` does.
package final class RunningProcess: Sendable {
  package let standardOutput: ProcessOutput
  package let standardError: ProcessOutput

  private let sendSignal: @Sendable (Int32) -> Void
  private let ended: AsyncStream<Never>
  private let end: AsyncStream<Never>.Continuation
  private let overflowed = Atomic(false)

  init(outputLimit: Int?, sendSignal: @escaping @Sendable (Int32) -> Void) {
    standardOutput = ProcessOutput(limit: outputLimit)
    standardError = ProcessOutput(limit: outputLimit)
    self.sendSignal = sendSignal
    (ended, end) = AsyncStream.makeStream()
  }

  /// Whether the process was killed for writing too much.
  var exceededOutputLimit: Bool { overflowed.load(ordering: .relaxed) }

  /// Sends a signal to the process and all that it started; nothing happens when it has ended.
  package func send(signal: Int32) { sendSignal(signal) }

  /// Sends SIGINT, as Ctrl-C does.
  package func interrupt() { sendSignal(2) }

  /// Waits until the process has ended and all its output is read; at once when the task is cancelled.
  /// For one task at a time.
  package func exit() async {
    for await _ in ended {}
  }

  /// Waits as ``exit()`` does, but no longer than `limit`: whether the process has ended.
  package func exit(within limit: Duration) async -> Bool {
    await limited(to: limit) { await self.exit() }.isInTime
  }

  /// Reads both streams to their ends, and waits for that of the process.
  func follow(
    _ output: some AsyncSequence<[UInt8], any Error> & Sendable,
    _ errors: some AsyncSequence<[UInt8], any Error> & Sendable, waitForEnd: () async -> Void
  ) async {
    async let first: Void = read(output, into: standardOutput)
    async let second: Void = read(errors, into: standardError)
    _ = await (first, second)
    await waitForEnd()
    end.finish()
  }

  private func read(_ stream: some AsyncSequence<[UInt8], any Error> & Sendable, into output: ProcessOutput)
    async
  {
    defer { output.finish() }
    do {
      for try await chunk in stream where !output.append(chunk) {
        overflowed.store(true, ordering: .relaxed)
        sendSignal(9)
        return
      }
    } catch {
      // The stream cannot be read any more, which is its end: the status of the process tells the rest.
    }
  }
}
