import Dispatch
import Synchronization

/// A search for a regular expression that is given up when it takes too long: nested quantifiers can take for ever.
struct PatternSearch: Sendable {
  static let limit = Duration.seconds(5)

  let pattern: String

  /// Whether it matches somewhere in a text, where `^` and `$` match at each line, whatever ends it; `nil` when that was not found out.
  ///
  /// The matcher cannot be stopped. It is left to a thread of its own, which ends with the search or with netlab.
  func finds(in bytes: [UInt8], within limit: Duration = Self.limit) async throws -> Bool? {
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<Bool?, any Error>.self)
    DispatchQueue(label: "pattern").async {
      outcome.yield(Result { try search(bytes) })
    }
    let timer = Task {
      try await Task.sleep(for: limit)
      outcome.yield(.success(nil))
    }
    defer { timer.cancel() }
    for await first in outcomes { return try first.get() }
    throw CancellationError()
  }

  private func search(_ bytes: [UInt8]) throws -> Bool {
    let expression = try Regex(pattern).anchorsMatchLineEndings().matchingSemantics(.unicodeScalar)
    return String(decoding: bytes, as: UTF8.self).firstMatch(of: expression) != nil
  }
}
