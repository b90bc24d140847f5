import LabMachine
import LabProcesses

/// A process that is to belong to a lab: what it is, where it runs and what becomes of it when it ends.
package struct DaemonRequest: Sendable {
  /// Whether a daemon that has ended is started again: after 100 ms, then after twice as long each time up to 10 s.
  package enum Restart: String, Sendable {
    case never
    /// Unless it exited with 0.
    case onFailure = "on-failure"
    case always
  }

  /// NODE.SERVICE: unique in its lab, and the name of its log. At most 200 bytes, without `/`, and no dot first.
  package var name: String
  /// The program, looked up in the PATH of `environment`, and its arguments.
  package var command: [String]
  /// The folder for NAME.log, and NAME.log.1 with what was in it before; each has at most 1 MiB.
  package var logs: String
  /// All of its environment.
  package var environment: [String: String] = [:]
  /// A text by which one who asks later sees whether this is what they would start. Kept as it is.
  package var definition = ""
  /// The path of a network namespace; `nil` for the keeper's own.
  package var namespace: String?
  /// A folder of files, each of which covers that of the same name in /etc.
  package var etc: String?
  package var hostname: String?
  package var directory = "/"
  /// `nil` for the keeper's own.
  package var user: (id: UInt32, group: UInt32)?
  package var restart = Restart.never
  /// What it is asked to end by.
  package var stopSignal: Int32 = 15
  /// How long it may take to end before it is killed; at most an hour.
  package var grace = Duration.seconds(5)

  package init(name: String, command: [String], logs: String) {
    self.name = name
    self.command = command
    self.logs = logs
  }

  var fields: [String] {
    var options = [
      ("definition", definition), ("directory", directory), ("logs", logs), ("restart", restart.rawValue),
      ("signal", "\(stopSignal)"), ("grace", "\(grace.milliseconds)"),
    ]
    if let namespace { options.append(("netns", namespace)) }
    if let etc { options.append(("etc", etc)) }
    if let hostname { options.append(("hostname", hostname)) }
    if let user { options.append(("user", "\(user.id):\(user.group)")) }
    return ["start", name] + options.map { "\($0)=\($1)" } + ["", "\(command.count)"] + command
      + environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up and as many as C can count.
  var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds < 1 << 20 else { return 1 << 30 }
    return Int32(max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
  }
}
