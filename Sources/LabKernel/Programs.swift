import Glibc
import LabKeeper
import LabKit
import LabMachine
import LabModel
import LabProcesses

/// Starts and stops what runs in a lab's nodes, through its keeper, which is started when it is needed.
///
/// All programs of a lab's own start in ``start(_:in:)``.
package final class Programs {
  package let folder: LabFolder
  private var keeper: LabKeeper?
  /// Whether the one who waits wants to go on waiting.
  private let isCancelled: () -> Bool

  package init(_ folder: LabFolder, isCancelled: @escaping () -> Bool = { false }) {
    self.folder = folder
    self.isCancelled = isCancelled
  }

  /// How long what happens without an event may go unnoticed.
  private static let glance = Duration.milliseconds(20)

  private func startedKeeper() throws(RunnerError) -> LabKeeper {
    if let keeper { return keeper }
    do throws(FileError) {
      try Files.makePrivateDirectory(folder.logs)
      try Files.makePrivateDirectory(folder.setups)
    } catch {
      throw RunnerError(.environment, "cannot keep what the lab's programs write: \(error)")
    }
    let started = try LabKeeper(startedAt: folder.keeper)
    keeper = started
    return started
  }

  /// Starts a daemon, and waits until it is ready.
  func start(_ daemon: Daemon, in namespace: OpenNamespace) throws(RunnerError) {
    let service = daemon.service
    let sight = Sight(of: daemon, in: namespace, folder: folder)
    if sight.isTaken {
      throw RunnerError(
        .usage, "\(service.name) cannot start in \(service.node): before it does, \(sight.words)",
        remedy: "`netlab exec \(daemon.lab) \(service.node) -- ss -lntup` tells which program has it.")
    }
    var request = DaemonRequest(name: daemon.name, command: service.command, logs: folder.logs)
    request.definition = Daemon.Definition(daemon, network: namespace.number).json
    request.directory = service.directory
    request.restart =
      switch service.restart {
      case .never: .never
      case .onFailure: .onFailure
      case .always: .always
      }
    request.grace = Self.grace
    request.environment = service.environment
    if let name = service.user { request.user = try Self.user(name, environment: &request.environment) }
    try start(request, in: namespace, hostname: daemon.hostname)
    try waitUntilReady(daemon, sight, in: namespace)
  }

  /// How long a daemon may take to end when it is told to.
  private static let grace = Duration.seconds(3)

  private func start(
    _ request: DaemonRequest, in namespace: OpenNamespace, hostname: String
  ) throws(RunnerError) {
    var request = request
    request.namespace = OpenNamespace.path(of: namespace.name)
    request.etc = folder.etc
    request.hostname = hostname
    let usual = ["PATH": environmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"]
    request.environment.merge(usual) { own, _ in own }
    try startedKeeper().start(request)
  }

  private static func user(
    _ name: String, environment: inout [String: String]
  ) throws(RunnerError) -> (id: UInt32, group: UInt32) {
    guard let entry = unsafe getpwnam(name) else {
      throw RunnerError(.usage, "there is no user '\(name)' on this machine")
    }
    let home = unsafe String(cString: entry.pointee.pw_dir)
    environment.merge(["HOME": home, "USER": name, "LOGNAME": name]) { own, _ in own }
    return unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
  }

  private func waitUntilReady(
    _ daemon: Daemon, _ sight: Sight, in namespace: OpenNamespace
  ) throws(RunnerError) {
    let (service, keeper) = (daemon.service, try startedKeeper())
    let deadline = ContinuousClock.now + .milliseconds(service.patience)
    let events = try keeper.watch()
    while true {
      let isReady = try sight.isReady { command throws(RunnerError) in
        try succeeds(command, of: daemon, in: namespace, until: deadline)
      }
      guard let report = try keeper.daemons().first(where: { $0.name == daemon.name }) else {
        throw RunnerError(.kernel, "\(daemon.name) was stopped by somebody else while it started")
      }
      if report.state == .ended {
        throw RunnerError(
          .kernel, "\(daemon.name) \(report.ending) before it was ready\(sight.lastLines())")
      }
      if isReady && report.state == .running { return }
      if isCancelled() { throw RunnerError(.kernel, "it was interrupted") }
      guard ContinuousClock.now < deadline else {
        let state = report.state == .pausing ? "; it \(report.ending) again and again" : ""
        throw RunnerError(
          .kernel,
          "\(daemon.name) is not ready after \(Duration.milliseconds(service.patience)): not yet so that \(sight.words)\(state)\(sight.lastLines())",
          remedy: "Give it more time (within: .seconds(60)), or look whether it listens elsewhere.")
      }
      _ = try events.next(within: Self.glance)
    }
  }

  /// Whether a service that was started before is ready now.
  package func waitUntilReady(_ daemons: [Daemon], in namespaces: OpenNamespaces) throws(RunnerError) {
    for daemon in daemons where daemon.service.ready != nil {
      guard let namespace = namespaces[daemon.namespace] else { continue }
      let sight = Sight(of: daemon, in: namespace, folder: folder, readsWholeLog: true)
      try waitUntilReady(daemon, sight, in: namespace)
    }
  }

  /// Runs a command once, among the lab's processes.
  private func succeeds(
    _ command: [String], of daemon: Daemon, in namespace: OpenNamespace,
    until deadline: ContinuousClock.Instant
  ) throws(RunnerError) -> Bool {
    let name = "\(daemon.name)+ready"
    let request = DaemonRequest(name: name, command: command, logs: folder.logs)
    return try run(request, in: namespace, hostname: daemon.hostname, until: deadline) == .exited(0)
  }

  /// Runs a command to its end; `nil` when it has none in time. What it leaves behind is ended.
  private func run(
    _ request: DaemonRequest, in namespace: OpenNamespace, hostname: String,
    until deadline: ContinuousClock.Instant?
  ) throws(RunnerError) -> ProcessResult.Status? {
    let keeper = try startedKeeper()
    let events = try keeper.watch()
    try start(request, in: namespace, hostname: hostname)
    while !isCancelled(), deadline.map({ ContinuousClock.now < $0 }) ?? true {
      guard let report = try keeper.daemons().first(where: { $0.name == request.name }) else { return nil }
      if report.state == .ended {
        try keeper.stop(request.name)
        return report.status
      }
      // A command that has ended and left something that runs on has done what it is for.
      if report.process == nil, report.state == .running {
        try keeper.stop(request.name)
        return .exited(0)
      }
      _ = try events.next(within: Self.glance)
    }
    try keeper.stop(request.name)
    return nil
  }

  /// Does what a new VM is to have done.
  func run(_ setup: Setup, in namespace: OpenNamespace) throws(RunnerError) {
    let name = "\(setup.node).setup"
    for command in setup.commands {
      let start = Files.identity(of: folder.log(of: name))?.size ?? 0
      let request = DaemonRequest(name: name, command: ["/bin/sh", "-c", command], logs: folder.logs)
      let status = try run(request, in: namespace, hostname: setup.hostname, until: nil)
      guard status != .exited(0) else { continue }
      let lines = LogTail(path: folder.log(of: name), from: start).words
      throw RunnerError(
        .usage,
        "the setup of \(setup.node) failed: '\(command)' \(status?.ending ?? "was interrupted")\(lines)"
      )
    }
    do throws(FileError) {
      let path = "\(folder.setups)/\(setup.node)"
      try Files.removeFile(path)
      try Files.write(Array("\(namespace.number)".utf8), to: path, permissions: 0o600)
    } catch {
      throw RunnerError(.environment, "cannot keep that the setup of \(setup.node) is done: \(error)")
    }
  }

  func stop(_ daemon: Daemon) throws(RunnerError) {
    // Without a keeper nothing runs.
    let reached = if let keeper { keeper } else { try LabKeeper(at: folder.keeper) }
    guard let reached, try reached.daemons().contains(where: { $0.name == daemon.name }) else { return }
    try reached.stop(daemon.name)
  }
}

extension DaemonReport {
  /// `exited with 1`, or what else became of it.
  var ending: String { status?.ending ?? "ended" }
}

extension ProcessResult.Status {
  /// `exited with 1`, or `killed by signal 9`.
  fileprivate var ending: String {
    if case .exited(let code) = self { "exited with \(code)" } else { "\(self)" }
  }
}
