import Netlink

/// Runs something that ends soon when it is cancelled, and cancels it after a limit: what it gave back, and whether that
/// was in time.
package func limited<Value: Sendable>(
  to limit: Duration, _ body: @escaping @Sendable () async -> Value
) async -> (value: Value, isInTime: Bool) {
  await withTaskGroup(of: Value?.self) { group in
    group.addTask { await body() }
    group.addTask {
      try? await Task.sleep(for: limit)
      return nil
    }
    let first = await group.next()!
    group.cancelAll()
    if let first { return (first, true) }
    return (await group.next()!!, false)
  }
}
