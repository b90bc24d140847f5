import Dispatch

/// Runs what blocks on a thread of its own, since the threads that run tasks should not block.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(returning: Result { try body() }) }
  }.get()
}
