import Glibc
import LabProcesses
import Synchronization
import SystemPackage

/// Standard output or standard error. Every write is checked, since a full disk must not look like success.
enum StandardStream {
  case output, error

  private var descriptor: CInt { self == .output ? STDOUT_FILENO : STDERR_FILENO }

  private static let outputFailure = Mutex<OutputError?>(nil)

  /// Why standard output takes no more.
  static var failure: OutputError? { outputFailure.withLock(\.self) }

  /// Writes all of a text, at once. What fails on standard error is told to nobody; what fails on standard output ends
  /// the program, after cleaning up.
  func write(_ text: String) {
    if self == .output, Self.failure != nil { return }
    guard let code = send(Array(text.utf8)), self == .output else { return }
    let failure = OutputError(code: code)
    Self.outputFailure.withLock { $0 = failure }
    if Interruption.isHeard {
      kill(getpid(), SIGTERM)
    } else {
      end(CommandFailure(failure).print())
    }
  }

  /// Writes, and gives back the error that kept it from writing all.
  private func send(_ bytes: [UInt8]) -> Errno? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 {
        rest = rest.dropFirst(written)
        continue
      }
      switch Errno(rawValue: errno) {
      case .interrupted: continue
      case .wouldBlock:
        // Whoever shares the stream has made it non-blocking.
        var set = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&set, 1, -1)
      case let code: return code
      }
    }
    return nil
  }
}

/// Standard output takes no more.
struct OutputError: Error {
  let code: Errno

  /// Whether whoever read the output has seen enough, such as `head`.
  var isReaderGone: Bool { code == .brokenPipe }
}
