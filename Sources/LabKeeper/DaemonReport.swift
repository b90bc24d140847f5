import Glibc
import LabMachine
import LabProcesses

/// What became of a daemon.
package struct DaemonReport: Sendable, Hashable {
  package enum State: String, Sendable {
    /// It is being made; the command does not run yet.
    case starting
    /// The command runs, or exited with 0 and has left something that does.
    case running
    /// It has ended, and is about to be started again.
    case pausing
    case ended
  }

  /// Moments as the wall clock shows them, in milliseconds since 1970.
  package typealias Milliseconds = Int64

  package let name: String
  /// What the one who started it wrote.
  package let definition: String
  package let state: State
  /// The command's number, as the lab's own processes see it; `nil` when it does not run, or has forked away.
  package let process: Int32?
  /// When it was started for the last time.
  package let started: Milliseconds
  /// When it ended for the last time; `nil` if it never did.
  package let ended: Milliseconds?
  /// How it ended then.
  package let status: ProcessResult.Status?
  /// How many times it was started again.
  package let restarts: Int

  /// The keeper's words for a daemon, without the first; `nil` if they make no sense.
  init?(fields: [String]) {
    guard fields.count == 9, let state = State(rawValue: fields[2]), let process = Int32(fields[3]),
      let started = Int64(fields[4]), let ended = Int64(fields[5]), let status = Int32(fields[6]),
      let restarts = Int(fields[7])
    else { return nil }
    name = fields[1]
    definition = fields[8]
    self.state = state
    self.process = process > 0 ? process : nil
    self.started = started
    self.ended = ended > 0 ? ended : nil
    self.status = ended > 0 ? ProcessResult.Status(waitStatus: status) : nil
    self.restarts = restarts
  }
}

/// Something that happened to a daemon.
package struct DaemonEvent: Sendable, Hashable {
  package enum Kind: String, Sendable {
    case ended
    /// It ended, and is started again later.
    case pausing
    case restarted
  }

  package let name: String
  package let kind: Kind
  /// How it ended the last time.
  package let status: ProcessResult.Status

  init?(fields: [String]) {
    guard fields.count == 4, fields[0] == "event", let kind = Kind(rawValue: fields[2]),
      let status = Int32(fields[3])
    else { return nil }
    name = fields[1]
    self.kind = kind
    self.status = ProcessResult.Status(waitStatus: status)
  }
}

/// A command that was sent into the lab, as `netlab exec` does, and runs.
package struct VisitingCommand: Sendable, Hashable {
  /// The command's number, as the lab's own processes see it.
  package let process: Int32
  /// The process outside that waits for it.
  package let sender: Int32
}

/// A process that a command sent into the lab has left running, as `netlab exec … -- sh -c 'server &'` does.
package struct StrayProcess: Sendable, Hashable {
  /// Its number as this process sees it.
  package let process: Int32
  /// The first 255 bytes of its command line.
  package let command: String
}

extension ProcessResult.Status {
  fileprivate init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .signalled(signal)
  }
}
