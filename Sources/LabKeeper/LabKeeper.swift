import CNetlink
import Glibc
import LabMachine
import LabProcesses
import SystemPackage

/// The keeper of a lab: a small process below which all that belongs to the lab runs, in a PID namespace of the lab's own. When
/// it ends, for whatever reason, the kernel ends all of that.
///
/// It listens at a socket, in a folder that only the user may enter. It stays as long as somebody is connected, the process
/// that started it runs, or the lab's `state.json` is beside the socket; without its socket it ends at once.
/// All calls block, but not longer than their limits; several may run at once.
package final class LabKeeper: Sendable {
  package let path: String
  /// Keeps the keeper from ending.
  private let connection: KeeperConnection

  /// How long a keeper may take for what it does at once.
  package static let patience = Duration.seconds(10)

  /// Reaches the keeper that listens at `path`; `nil` if there is none.
  package init?(at path: String) throws(RunnerError) {
    guard let connection = try KeeperConnection(path) else { return nil }
    self.connection = connection
    self.path = path
  }

  /// Reaches the keeper that listens at `path`, and starts one first if there is none.
  /// - Parameter helper: the path of `netlab-exec`; found beside this program by default.
  package init(startedAt path: String, helper: String? = nil) throws(RunnerError) {
    self.path = path
    if let connection = try KeeperConnection(path) {
      self.connection = connection
      return
    }
    try Self.start(path, helper ?? ExecHelper.locate())
    guard let connection = try KeeperConnection(path) else {
      throw RunnerError(
        .environment, "cannot keep the lab: its keeper, at \(path), ended as soon as it had started",
        remedy: "Did something remove its socket? Try again.")
    }
    self.connection = connection
  }

  private static func start(_ path: String, _ helper: String) throws(RunnerError) {
    var message = [CChar](repeating: 0, count: 4096)
    let status = unsafe cnl_keeper_found(helper, path, &message, message.count, patience.milliseconds)
    let code = Errno(rawValue: errno)
    if status == 0 { return }
    let text = String(
      decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let reason =
      text.split(separator: "\n").first.map(String.init) ?? (status < 0 ? "\(code)" : "status \(status)")
    throw RunnerError(
      .environment, "cannot keep the lab: \(reason)",
      remedy: "A lab's processes need a PID namespace, and a folder that is the user's alone.")
  }

  /// Starts a daemon, and waits until its command runs. One of the same name that has ended is forgotten.
  /// - Returns: the command's number, as the lab's own processes see it.
  /// - Throws: `RunnerError` when it cannot be run, or one of that name runs.
  @discardableResult
  package func start(_ request: DaemonRequest, within limit: Duration = patience) throws(RunnerError) -> Int32
  {
    let answer = try ask(request.fields, within: limit)
    guard answer.first == "ok", answer.count == 2, let process = Int32(answer[1]) else {
      throw RunnerError(
        .kernel,
        "cannot start \(request.name) (\(request.command.joined(separator: " "))): \(reason(answer))",
        remedy: "Its command runs in the node as `netlab exec` runs it: try it there.")
    }
    return process
  }

  /// Ends a daemon with all that it started, and forgets it: by its stop signal, and after its grace by SIGKILL.
  /// - Parameter limit: longer than the daemon's grace.
  package func stop(_ name: String, within limit: Duration = .seconds(30)) throws(RunnerError) {
    let answer = try ask(["stop", name], within: limit)
    guard answer.first == "ok" else {
      throw RunnerError(
        .kernel, "cannot stop \(name): \(reason(answer))",
        remedy: "`netlab down LAB` ends it with all of the lab.")
    }
  }

  /// All daemons that were started and not stopped, in that order.
  package func daemons() throws(RunnerError) -> [DaemonReport] {
    let connection = try connect()
    var reports: [DaemonReport] = []
    var last: UInt32 = 0
    while true {
      let answer = try connection.answer(to: ["next", "\(last)"], within: Self.patience)
      if answer.first == "end" { return reports }
      guard answer.first == "daemon", answer.count == 10, let id = UInt32(answer[1]), id > last,
        let report = DaemonReport(fields: Array(answer.dropFirst()))
      else { throw Self.misunderstood(answer) }
      last = id
      reports.append(report)
    }
  }

  /// The commands that were sent into the lab from outside and run.
  package func commands() throws(RunnerError) -> [VisitingCommand] {
    let answer = try ask(["commands"], within: Self.patience)
    let numbers = answer.dropFirst().map { Int32($0) ?? 0 }
    guard answer.first == "ok", numbers.count.isMultiple(of: 2), !numbers.contains(0) else {
      throw Self.misunderstood(answer)
    }
    return stride(from: 0, to: numbers.count, by: 2).map {
      VisitingCommand(process: numbers[$0], sender: numbers[$0 + 1])
    }
  }

  /// What commands that were sent into the lab have left running there, without the children of these.
  package func strays() throws(RunnerError) -> [StrayProcess] {
    let answer = try ask(["strays"], within: Self.patience)
    guard answer.first == "ok", !answer.count.isMultiple(of: 2) else { throw Self.misunderstood(answer) }
    return try stride(from: 1, to: answer.count, by: 2).map { index throws(RunnerError) in
      guard let process = Int32(answer[index]), process > 1 else { throw Self.misunderstood(answer) }
      return StrayProcess(process: process, command: answer[index + 1])
    }
  }

  /// What happens to the daemons from now on.
  package func watch() throws(RunnerError) -> KeeperEvents {
    let connection = try connect()
    let answer = try connection.answer(to: ["watch"], within: Self.patience)
    guard answer.first == "ok" else { throw Self.misunderstood(answer) }
    return KeeperEvents(connection)
  }

  /// Waits until a daemon has ended, for good or to be started again; `nil` if it runs on all that time.
  package func waitForEnd(of name: String, within limit: Duration) throws(RunnerError) -> DaemonReport? {
    let deadline = ContinuousClock.now + limit
    let events = try watch()
    repeat {
      guard let report = try daemons().first(where: { $0.name == name }) else {
        throw RunnerError(.kernel, "cannot wait for \(name): there is no such daemon")
      }
      if report.state == .ended || report.state == .pausing || report.restarts > 0 { return report }
    } while try nextEvent(of: name, events, until: deadline) != nil
    return nil
  }

  private func nextEvent(of name: String, _ events: KeeperEvents, until deadline: ContinuousClock.Instant)
    throws(RunnerError) -> DaemonEvent?
  {
    while let event = try events.next(within: max(.zero, deadline - .now)) {
      if event.name == name { return event }
    }
    return nil
  }

  /// Kills the keeper, and waits until all processes of the lab are gone. For the one who holds the lab's lock.
  package func end(within limit: Duration = patience) throws(RunnerError) {
    try connection.kill(within: limit)
    unsafe unlink(path)
  }

  /// A request of its own connection, so that one that is late is nobody else's.
  private func ask(_ fields: [String], within limit: Duration) throws(RunnerError) -> [String] {
    try connect().answer(to: fields, within: limit)
  }

  private func connect() throws(RunnerError) -> KeeperConnection {
    if let connection = try KeeperConnection(path) { return connection }
    throw RunnerError(
      .environment, "the keeper of the lab at \(path) has ended, and with it all that ran in the lab",
      remedy: "`netlab up FILE` brings it up again.")
  }

  private func reason(_ answer: [String]) -> String {
    guard answer.first == "error", answer.count > 1 else { return "it was ended in between" }
    let words = answer[1]
    return words.hasPrefix("netlab: ") ? String(words.dropFirst("netlab: ".count)) : words
  }

  static func misunderstood(_ answer: [String]) -> RunnerError {
    RunnerError(
      .environment,
      "cannot understand the keeper of the lab, which says '\(answer.joined(separator: " ").prefix(80))'",
      remedy: "It may be of another version of netlab: `netlab down LAB` ends it.")
  }
}
