import Dispatch
import LabMachine
import SystemPackage

/// A private User-Mode-Linux kernel, started for one command and gone with it.
///
/// Its root is this machine's root, read-only under an overlay that is thrown away, so the same programs are
/// there; the working folder and `writableFolders` are the real ones. The command runs as root of that kernel, with
/// the rights of the caller on the host's files: no privileges are needed.
///
/// The command inherits the caller's environment, umask and standard streams. Its standard output and error come
/// through as they are written, separate and unchanged; when the caller's standard input and output are a terminal,
/// the command has a terminal too. The environment variable `NETLAB_SANDBOX` tells it that it is inside, and on which
/// kernel release. The sandbox prints nothing of its own.
///
/// Any program that links this module can start one: the program's own file is also the first process of the guest.
package struct Sandbox: Sendable {
  /// The kernel's memory, a number and K, M or G. The guest takes from the host only what it touches.
  package var memory = "2G"

  /// How long the command may take, the kernel's start (about 1.4 s) included; nil for as long as it likes.
  package var timeLimit: Duration?

  /// Folders, besides the working folder, that the command may change.
  package var writableFolders: [String] = []

  package init() {}

  /// Why this machine cannot start a sandbox, and what to install; nil when it can.
  package static func unavailability() -> SandboxError? {
    isExecutable(kernelPath) ? nil : .noKernel(missing: kernelPath)
  }

  static let kernelPath = "/usr/bin/linux.uml"

  /// The release of the sandbox's kernel that this process runs on; nil on the host.
  package static var current: String? { environmentVariable("NETLAB_SANDBOX") }

  /// Runs a command to its end.
  ///
  /// Cancelling the task ends the command. However this function ends, and also when this process is killed, nothing is
  /// left: no process, and no file but those the command wrote in its writable folders.
  ///
  /// - Parameters:
  ///   - command: The program, looked up in the command's `PATH`, and its arguments.
  ///   - environment: Variables to set on top of the caller's environment.
  ///   - workingFolder: Where the command starts, and a folder it may change; nil for the caller's.
  /// - Returns: The command's exit status; 128 and the signal's number when a signal ended it; 127 when there is no
  ///   such program, 126 when it cannot be run.
  /// - Throws: ``SandboxError``, or `CancellationError`.
  package func run(
    _ command: [String], environment: [String: String] = [:], workingFolder: String? = nil
  ) async throws -> Int32 {
    if let reason = Self.unavailability() { throw reason }
    guard memory.isAmountOfMemory else { throw SandboxError.badMemory(memory) }
    let folders = try ([workingFolder ?? "."] + writableFolders).map { path in
      guard let folder = resolvedFolder(path) else { throw SandboxError.notAFolder(path) }
      return folder
    }
    let guest = GuestCommand(
      arguments: command, environment: environment, workingFolder: folders[0],
      // The root itself is never made writable.
      writableFolders: folders.filter { $0 != "/" })
    let bell = try Bell()
    defer { bell.close() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "netlab.sandbox").async {
          do {
            let status = try Session.run(guest, memory: memory, timeLimit: timeLimit, bell: bell)
            continuation.resume(returning: status)
          } catch let error as Errno {
            let failure = SandboxError.host(attempt: "pass on files and streams", reason: error.description)
            continuation.resume(throwing: failure)
          } catch {
            continuation.resume(throwing: error)
          }
        }
      }
    } onCancel: {
      bell.ring(.cancelled)
    }
  }
}

extension String {
  fileprivate var isAmountOfMemory: Bool {
    guard let unit = last, "KMG".contains(unit), let amount = Int(dropLast()) else { return false }
    return amount > 0
  }
}
