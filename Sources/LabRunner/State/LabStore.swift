internal import Glibc
internal import LabKit

/// Where the state of running labs is kept: `/run/netlab/LAB/`, or for other users `$XDG_RUNTIME_DIR/netlab/LAB/`.
public struct LabStore: Sendable {
  public let directory: String

  public init() {
    if geteuid() == 0 {
      directory = "/run/netlab"
    } else {
      let runtime = unsafe getenv("XDG_RUNTIME_DIR").map { unsafe String(cString: $0) }
      directory = "\(runtime ?? "/tmp/netlab-\(geteuid())")/netlab"
    }
  }

  func directory(of lab: String) -> String { "\(directory)/\(lab)" }

  /// The names of all labs that have a state, sorted.
  public func labs() throws -> [String] {
    try Files.list(directory).filter { Files.identity(of: "\(directory)/\($0)/state.json") != nil }.sorted()
  }

  /// The state of a lab; `nil` if it has none.
  public func state(of lab: String) throws -> LabState? {
    let path = "\(directory(of: lab))/state.json"
    guard Files.identity(of: path, followingLinks: false) != nil else { return nil }
    do {
      return try LabState(json: Files.read(path, limit: 256 << 20, followingLinks: false))
    } catch let error as RunnerError {
      throw error
    } catch {
      throw RunnerError(
        .environment, "cannot read the state of lab '\(lab)' (\(path)): \(error)",
        remedy: "Remove \(directory(of: lab)) and the lab's namespaces (`ip netns`), if they are not in use.")
    }
  }

  /// Writes a lab's state, whole or not at all.
  func save(_ state: LabState) throws {
    let directory = directory(of: state.document.name)
    let draft = "\(directory)/state.json.new"
    try Files.remove(draft)
    try Files.write(state.json(), to: draft, permissions: 0o600)
    try Files.rename(draft, to: "\(directory)/state.json")
  }

  /// Takes a lab's lock, which dies with this process. Waits for another holder, after telling so.
  ///
  /// - Parameter waiting: called once when the lock is not free.
  public func lock(_ lab: String, waiting: () -> Void) throws(RunnerError) -> LabLock {
    if let problem = NameRule.node.problem(of: lab) {
      throw RunnerError(.usage, "'\(lab.terminalSafe)' cannot be the name of a lab: it \(problem)")
    }
    var announced = false
    while true {
      do throws(FileError) {
        try Files.makeDirectories(directory(of: lab), permissions: 0o700)
        let lock = try LabLock(path: "\(directory(of: lab))/lock") {
          if !announced { waiting() }
          announced = true
        }
        if let lock { return lock }
      } catch {
        throw RunnerError(
          .environment, "cannot keep the lab's state: \(error.attempt): \(error.code)",
          remedy: geteuid() == 0 ? "netlab needs \(directory) to be writable." : "Run it as root.")
      }
    }
  }

  /// Forgets a lab. The caller holds its lock, which ends with its file.
  func remove(_ lab: String) throws {
    try Files.remove(directory(of: lab))
    // Only when it was the last one; otherwise this fails, as it should.
    _ = unsafe rmdir(directory)
  }
}

/// The lock of one lab, held by this process until it is released or the process ends.
public final class LabLock {
  private let descriptor: CInt

  /// `nil` when the lock's file was removed while this process waited for it: the caller tries again.
  init?(path: String, waiting: () -> Void) throws(FileError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileError("open \(path)")
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      waiting()
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else { throw FileError("lock \(path)") }
      }
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0,
      let current = Files.identity(of: path, followingLinks: false),
      current.inode == UInt(status.st_ino), current.device == UInt(status.st_dev)
    else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
