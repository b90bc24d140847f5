import Glibc
import LabKit
import LabMachine
import LabModel

/// What an ordinary user has in place of being root: a user namespace in which they are, with mounts and a network of its
/// own. What brings labs up runs in there as it does for root.
///
/// Entering one takes a process with one thread, so `netlab-exec` does it, and then becomes the command.
package enum World: Sendable, Hashable {
  /// A new one, which ends with the command.
  case new
  /// The one of a lab. A small process keeps it as long as the lab is up.
  case lab(String)
  /// The one of a lab, which is made when there is none.
  case newLab(String)

  /// Whether this process can do without.
  package static var isNeeded: Bool { geteuid() != 0 }

  /// Whether this process was started in one, by itself.
  package static let isCurrent = environmentVariable(variable) != nil
  private static let variable = "NETLAB_WORLD"
  private static let keeperVariable = "NETLAB_KEEPER"

  /// Where the keeper of the world that this process is in listens; `nil` if it is in none, or in one that nobody keeps.
  package static let keeper = environmentVariable(keeperVariable)

  /// Keeps what this process starts from seeming to be in the world: it is this process that its keeper waits for.
  package static func settle() {
    guard isCurrent else { return }
    if let reference = environmentVariable(variable).flatMap(CInt.init) {
      _ = fcntl(reference, F_SETFD, FD_CLOEXEC)
    }
    _ = keeper
    _ = unsafe unsetenv(variable)
    _ = unsafe unsetenv(keeperVariable)
  }

  /// The names of the labs that the user has a world for. One whose keeper was killed may be among them.
  package static func labs() throws -> [String] {
    try Files.list(directory).filter { NameRule.node.problem(of: $0) == nil && isKept($0) }.sorted()
  }

  /// Whether the user has a world for a lab.
  package static func isKept(_ lab: String) -> Bool {
    NameRule.node.problem(of: lab) == nil
      && Files.identity(of: "\(directory)/\(lab)", followingLinks: false).map { $0.mode & S_IFMT == S_IFSOCK }
        == true
  }

  /// Where the keepers of the user's worlds listen, each under the name of its lab.
  package static var directory: String {
    let user = geteuid()
    let candidates = [environmentVariable("XDG_RUNTIME_DIR"), "/run/user/\(user)"].compactMap { $0 }
    // XDG_RUNTIME_DIR is still another user's after some ways of becoming this one.
    let runtime = candidates.first {
      Files.identity(of: $0).map { $0.isDirectory && $0.owner == user } == true
    }
    return runtime.map { "\($0)/netlab" } ?? "\(environmentVariable("TMPDIR") ?? "/tmp")/netlab-\(user)"
  }

  /// Replaces this process by a command in the world. Terminal, standard streams, environment, working directory and
  /// process identifier stay as they are.
  ///
  /// - Returns: only on failure, after a message: the exit status.
  package func replaceProcess(with command: [String]) throws -> Int32 {
    ExecHelper.replaceProcess(try options() + ["--"] + command)
  }

  /// Runs a command in the world to its end. One that does not get that far has status 2 when nobody keeps the world, and
  /// 3 when the machine refuses it, with the reason in its error output.
  package func run(_ command: [String]) async throws -> ProcessResult {
    try await ProcessRunner().run(
      [ExecHelper.locate()] + options() + ["--"] + command, outputLimit: 64 << 20)
  }

  private func options() throws -> [String] {
    switch self {
    case .new: return ["--world"]
    case .lab(let name): return ["--join", "\(Self.directory)/\(name)"]
    case .newLab(let name):
      do {
        try Files.makePrivateDirectory(Self.directory)
      } catch {
        throw RunnerError(
          .environment, "cannot keep the lab: \(error)",
          remedy: "Set XDG_RUNTIME_DIR to a folder that is yours alone.")
      }
      return ["--start", "\(Self.directory)/\(name)"]
    }
  }
}
