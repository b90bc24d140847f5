import Netlink
import Synchronization

/// How long the phases of a run take, for `netlab bench`. Recorded only inside ``record(_:)``.
package final class Timeline: Sendable {
  /// One phase, in the order in which it began; phases can lie inside others.
  package struct Phase: Sendable {
    package var name: String
    package var depth: Int
    package var duration: Duration
  }

  @TaskLocal private static var current: Timeline?

  private struct Record {
    var phases: [Phase] = []
    var depth = 0
  }
  private let record = Mutex(Record())

  private init() {}

  /// Runs a body, and gives back the phases it went through.
  package static func record<Value>(_ body: () throws -> Value) rethrows -> (value: Value, phases: [Phase]) {
    let timeline = Timeline()
    let value = try $current.withValue(timeline, operation: body)
    return (value, timeline.record.withLock { $0.phases })
  }

  /// Runs one phase.
  package static func phase<Value, Failure: Error>(
    _ name: @autoclosure () -> String, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard let current else { return try body() }
    let position = current.record.withLock { record in
      record.phases.append(Phase(name: name(), depth: record.depth, duration: .zero))
      record.depth += 1
      return record.phases.count - 1
    }
    let start = ContinuousClock.now
    defer {
      let duration = ContinuousClock.now - start
      current.record.withLock { record in
        record.phases[position].duration = duration
        record.depth -= 1
      }
    }
    return try body()
  }
}
