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
  /// Whether the user has read the message already.
  private let isShown: Bool

  init(_ error: any Error) {
    isAnswer = Netlab.exitCode(for: error) == .success
    isShown = if case LoadingError.refused = error { true } else { false }
    switch error {
    case let error as OutputError where error.isReaderGone:
      (message, status) = ("", 128 + SIGTERM)
    case let error as OutputError:
      (message, status) = (
        "netlab: cannot write to standard output: \(error.code)", RunnerError.Kind.environment.rawValue
      )
    case let code as ExitCode:
      (message, status) = ("", code.rawValue)
    case var error as RunnerError:
      if error.kind == .environment, let lack = Rights.lack {
        error.remedy = "The reason may be that \(lack)."
      }
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
    guard !message.isEmpty else { return status }
    if isAnswer {
      Console.print(message)
      return status
    }
    if !isShown { Console.warn(Console.shortening(message)) }
    if CommandLine.asksForJSON { try? Console.printJSON(Report(error: message, status: status)) }
    return status
  }

  /// The failure for programs, in place of the report that they asked for.
  private struct Report: Encodable {
    var error: String
    var status: Int32
  }
}

extension CommandLine {
  /// Whether netlab, and not a command that it is to run, was asked for JSON.
  fileprivate static var asksForJSON: Bool {
    !["exec", "sandbox", "shell"].contains(arguments.dropFirst().first)
      && arguments.prefix { $0 != "--" }.contains("--json")
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
