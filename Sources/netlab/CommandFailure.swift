import ArgumentParser
import Glibc
import LabKit
import LabLoading
import LabMachine
import LabSandbox

/// An error as the command line shows it: its words, and the exit code it stands for.
struct CommandFailure {
  private let message: String
  private let status: Int32
  /// Help and version are asked for, so they belong on standard output.
  private let isAnswer: Bool

  init(_ error: any Error) {
    isAnswer = Netlab.exitCode(for: error) == .success
    switch error {
    case let code as ExitCode:
      (message, status) = ("", code.rawValue)
    case let error as RunnerError:
      (message, status) = ("netlab: \(error)", error.kind.rawValue)
    case let error as LabErrors:
      (message, status) = ("\(error)", RunnerError.Kind.usage.rawValue)
    case let error as LoadingError:
      (message, status) = (error.isDiagnosed ? "\(error)" : "netlab: \(error)", error.exitCode)
    case let error as SandboxError:
      (message, status) = ("netlab: \(error)", error.exitStatus)
    case let error as EndedBySignal:
      (message, status) = ("netlab: interrupted", 128 + error.signal)
    default:
      let code = Netlab.exitCode(for: error)
      message = Netlab.fullMessage(for: error)
      // ArgumentParser's 64 is a wrong command line.
      status = code == .validationFailure ? RunnerError.Kind.usage.rawValue : code.rawValue
    }
  }

  /// Prints the message and gives back the exit status.
  func print() -> Int32 {
    if !message.isEmpty {
      isAnswer ? Console.print(message) : Console.warn(Console.shortening(message))
    }
    return status
  }
}

/// Ends the program, with everything printed.
func end(_ status: Int32) -> Never {
  fflush(nil)
  exit(status)
}

extension LoadingError {
  /// Whether the words are the compiler's, which name the place themselves.
  fileprivate var isDiagnosed: Bool {
    if case .notCompiled = self { true } else { false }
  }
}
