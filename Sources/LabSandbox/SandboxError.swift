import LabMachine

/// Why a sandbox could not run a command to its end.
package enum SandboxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// This machine has no User-Mode-Linux kernel; `missing` is the file that was looked for.
  case noKernel(missing: String)
  /// The amount of memory is not a number followed by K, M or G.
  case badMemory(String)
  /// What was to be the working folder, or a writable one, is no folder.
  case notAFolder(String)
  /// A step on the host failed; `reason` is in the system's own words.
  case host(attempt: String, reason: String)
  /// The command was still running when its time was up.
  case timeLimitExceeded(Duration)
  /// The kernel panicked or ended without running the command to its end; `console` is what it said last.
  case kernelEnded(console: String)

  /// The exit status of a program that ends because of this error: 2 and 3 as everywhere, 124 for the time limit, as of
  /// timeout(1), 125 for what went wrong with the sandbox itself.
  package var exitStatus: Int32 {
    switch self {
    case .badMemory, .notAFolder: 2
    case .noKernel: 3
    case .timeLimitExceeded: 124
    case .host, .kernelEnded: 125
    }
  }

  package var description: String {
    switch self {
    case .noKernel(let missing):
      "the sandbox needs \(missing), which is not there; install it with: apt-get install user-mode-linux"
    case .badMemory(let text):
      "\"\(text)\" is not an amount of memory; give a number and a unit, such as 512M or 2G"
    case .notAFolder(let path):
      "there is no folder \(path)"
    case .host(let attempt, let reason):
      "cannot \(attempt): \(reason)"
    case .timeLimitExceeded(let limit):
      "the command was still running after \(limit.formattedSeconds), and was ended"
    case .kernelEnded(let console):
      "the sandbox's kernel ended before the command did; the last it said:\n\(console)"
    }
  }
}

extension Duration {
  fileprivate var formattedSeconds: String {
    let (seconds, attoseconds) = components
    let tenths = attoseconds / 100_000_000_000_000_000
    return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
  }
}
