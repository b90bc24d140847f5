import LabMachine
import LabModel
import Synchronization

/// One output stream of a running process: its lines as they come, and in the end all of its bytes, if they are limited.
package final class ProcessOutput: Sendable {
  /// The lines written so far and to come, without their line ends; ends when the process closes the stream.
  /// Lines are kept until they are read, by one reader.
  package let lines: AsyncStream<String>

  private let continuation: AsyncStream<String>.Continuation
  private let limit: Int?
  private let state = Mutex(State())

  private struct State {
    var bytes: [UInt8] = []
    var lineStart = 0
  }

  /// - Parameter limit: how many bytes it may have; `nil` for any number, of which only unfinished lines are kept.
  init(limit: Int?) {
    self.limit = limit
    (lines, continuation) = AsyncStream.makeStream()
  }

  /// The bytes that are kept.
  package var bytes: [UInt8] { state.withLock { $0.bytes } }

  /// Takes the next bytes in; `false` when they are more than the limit allows.
  func append(_ chunk: [UInt8]) -> Bool {
    state.withLock { state in
      let searchStart = state.bytes.count
      if let limit, chunk.count > limit - searchStart { return false }
      state.bytes += chunk
      for index in searchStart..<state.bytes.count where state.bytes[index] == UInt8(ascii: "\n") {
        continuation.yield(String(decoding: state.bytes[state.lineStart..<index], as: UTF8.self))
        state.lineStart = index + 1
      }
      if limit == nil {
        state.bytes.removeFirst(state.lineStart)
        state.lineStart = 0
      }
      return true
    }
  }

  /// Ends `lines`, with the last line if it had no line end.
  func finish() {
    state.withLock { state in
      if state.lineStart < state.bytes.count {
        continuation.yield(String(decoding: state.bytes[state.lineStart...], as: UTF8.self))
        state.lineStart = state.bytes.count
      }
    }
    continuation.finish()
  }
}
