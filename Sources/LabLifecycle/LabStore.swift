import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import SystemPackage
import Values

/// Where the state of running labs is kept: `/run/netlab/LAB/`. An ordinary user's labs have it in their worlds; outside of
/// these there is none.
package struct LabStore: Sendable {
  package let directory: String

  package init() {
    directory = World.isNeeded ? World.directory : "/run/netlab"
  }

  func directory(of lab: String) -> String { "\(directory)/\(lab)" }

  func path(of file: File, of lab: String) -> String { "\(directory)/\(lab)/\(file.rawValue)" }

  /// What netlab keeps in a lab's directory; anything else there is somebody else's.
  enum File: String, CaseIterable {
    case state = "state.json"
    /// The phase that the lab is in; without it, one in which something is half done.
    case phase
    /// A state that is being written.
    case draft = "state.json.new"
    /// The socket of the lab's keeper, which ends without the state. In an ordinary user's world it is elsewhere.
    case keeper
    /// What was set at run time, and the same being written.
    case runtime = "runtime.json"
    case runtimeDraft = "runtime.json.new"
    /// The last to go: whoever waits for it then knows that all is gone.
    case lock
  }

  /// The names of all labs that have a state, sorted.
  package func labs() throws -> [String] {
    try World.isNeeded
      ? World.labs()
      : traces().filter { Files.identity(of: path(of: .state, of: $0), followingLinks: false) != nil }
  }

  /// The names of all labs of which there is anything, sorted.
  func traces() throws -> [String] { try Files.list(directory).filter(hasTraces).sorted() }

  /// Whether there is anything of a lab: its state, or what a netlab that was killed has left of it.
  func hasTraces(of lab: String) -> Bool {
    NameRule.node.problem(of: lab) == nil
      && File.allCases.contains { Files.identity(of: path(of: $0, of: lab), followingLinks: false) != nil }
  }

  /// Whether there are namespaces of a lab that this user's netlab knows nothing of.
  func isElsewhere(_ lab: String) throws -> Bool {
    guard geteuid() != 0, NameRule.node.problem(of: lab) == nil else { return false }
    return try Files.list(NetworkNamespace.directory).contains { $0.hasPrefix("\(lab).") }
  }

  /// The state of a lab; `nil` if it has none.
  package func state(of lab: String) throws -> LabState? {
    guard NameRule.node.problem(of: lab) == nil else { return nil }
    let path = path(of: .state, of: lab)
    guard Files.identity(of: path, followingLinks: false) != nil else { return nil }
    do {
      var state = try LabState(json: Files.read(path, limit: 256 << 20, followingLinks: false))
      state.phase = phase(of: lab)
      guard state.document.name == lab else { throw RunnerError(.environment, "it is of another lab") }
      return state
    } catch {
      throw RunnerError(
        .environment, "cannot read the state of lab '\(lab)' (\(path)): \(error)",
        remedy: "Remove \(directory(of: lab)); `netlab clean` then removes the lab's namespaces.")
    }
  }

  private func phase(of lab: String) -> LabState.Phase {
    let word = try? Files.read(path(of: .phase, of: lab), limit: 64, followingLinks: false)
    return word.flatMap { LabState.Phase(rawValue: String(decoding: $0, as: UTF8.self)) } ?? .comingUp
  }

  /// Writes what of a lab's state differs from what was written last: its phase, and the rest whole or not at all.
  func save(_ state: LabState, over written: LabState? = nil) throws {
    guard state != written else { return }
    let lab = state.document.name
    do {
      try Files.removeFile(path(of: .phase, of: lab))
      try Files.write(Array(state.phase.rawValue.utf8), to: path(of: .phase, of: lab), permissions: 0o600)
      var written = written
      written?.phase = state.phase
      if state == written { return }
      try Files.removeFile(path(of: .draft, of: lab))
      try Files.write(state.json(), to: path(of: .draft, of: lab), permissions: 0o600)
      try Files.rename(path(of: .draft, of: lab), to: path(of: .state, of: lab))
    } catch let error as FileError {
      try? Files.removeFile(path(of: .draft, of: lab))
      throw unwritable(error)
    }
  }

  /// Where the programs of a lab find and leave things.
  package func folder(of lab: String) -> LabFolder {
    let directory = directory(of: lab)
    return LabFolder(
      keeper: World.keeper ?? path(of: .keeper, of: lab), logs: "\(directory)/logs", etc: "\(directory)/etc",
      setups: "\(directory)/setups")
  }

  /// Where commands run in a node: among the lab's processes, if it has any.
  package func place(of node: String, in lab: ResolvedLab) -> NodePlace {
    let folder = folder(of: lab.name)
    return NodePlace(
      namespace: OpenNamespace.path(of: lab.namespace(of: node)),
      keeper: lab.services.isEmpty ? nil : folder.keeper, etc: folder.etc,
      hostname: lab.node(node)?.hostname ?? node)
  }

  /// Keeps what the lab's nodes have in place of files of /etc.
  func write(hosts: String, of lab: String) throws {
    let folder = folder(of: lab).etc
    let path = "\(folder)/hosts"
    if let old = try? Files.read(path, followingLinks: false), String(decoding: old, as: UTF8.self) == hosts {
      return
    }
    do throws(FileError) {
      try Files.makePrivateDirectory(folder)
      // What has it bound keeps the old one.
      try Files.removeFile(path)
      try Files.write(Array(hosts.utf8), to: path, permissions: 0o644)
    } catch {
      throw unwritable(error)
    }
  }

  /// Makes a directory for what a command needs while the lab runs, such as a capture. It removes that itself; what one
  /// that was killed has left goes with the lab.
  package func makeWorkDirectory(of lab: String) throws(FileError) -> String {
    try Files.makePrivateDirectory(workDirectory(of: lab))
    return try Files.makeTemporaryDirectory(in: workDirectory(of: lab))
  }

  private func workDirectory(of lab: String) -> String { "\(directory(of: lab))/work" }

  func unwritable(_ error: FileError) -> RunnerError {
    RunnerError(
      .environment, "cannot keep the lab's state: \(error)",
      remedy: "netlab needs \(directory) to be writable, and its own.")
  }

  /// Takes a lab's lock, which dies with this process. Waits for another holder, after telling so.
  ///
  /// - Parameter waiting: called once when the lock is not free.
  package func lock(_ lab: String, waiting: () -> Void) throws -> LabLock {
    if let problem = NameRule.node.problem(of: lab) {
      throw RunnerError(.usage, "'\(lab.terminalSafe)' cannot be the name of a lab: it \(problem)")
    }
    var announced = false
    while true {
      do throws(FileError) {
        try Files.makePrivateDirectory(directory)
        do {
          try Files.makePrivateDirectory(directory(of: lab))
        } catch  where error.code == .noSuchFileOrDirectory {
          continue  // another netlab took the last lab down
        }
        let lock = try LabLock(path: path(of: .lock, of: lab)) {
          if !announced { waiting() }
          announced = true
        }
        if let lock { return lock }
        if Task.isCancelled { throw FileError("wait for the lock", .canceled) }
      } catch {
        if error.code == .canceled { throw CancellationError() }
        throw unwritable(error)
      }
    }
  }

  /// Whether a netlab is working on a lab.
  func isLocked(_ lab: String) throws -> Bool {
    let file = unsafe open(path(of: .lock, of: lab), O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return false }
    defer { close(file) }
    return flock(file, LOCK_EX | LOCK_NB) != 0
  }

  /// Forgets a lab. The caller holds its lock, which ends with its file.
  func remove(_ lab: String) throws {
    let folder = folder(of: lab)
    for path in [workDirectory(of: lab), folder.logs, folder.etc, folder.setups] { try Files.remove(path) }
    for file in File.allCases { try Files.removeFile(path(of: file, of: lab)) }
    // Not when somebody put something else there.
    _ = unsafe rmdir(directory(of: lab))
    // Only when it was the last one; otherwise this fails, as it should.
    _ = unsafe rmdir(directory)
  }
}
