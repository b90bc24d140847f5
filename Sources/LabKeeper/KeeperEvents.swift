import LabMachine
import LabProcesses

/// What happens to the daemons of a lab, from the moment on when this was made.
package final class KeeperEvents: Sendable {
  private let connection: KeeperConnection

  init(_ connection: KeeperConnection) { self.connection = connection }

  /// Waits for the next event; `nil` if none comes in time.
  /// - Throws: `RunnerError` when the keeper has ended.
  package func next(within limit: Duration) throws(RunnerError) -> DaemonEvent? {
    guard let fields = try connection.receive(within: limit) else { return nil }
    guard let event = DaemonEvent(fields: fields) else { throw LabKeeper.misunderstood(fields) }
    return event
  }
}
