import LabMachine
import LabModel

/// How a process ended, and what it wrote.
package struct ProcessResult: Sendable {
  /// The way a process ends.
  package enum Status: Sendable, Hashable {
    /// It called `exit` with this code. 126 and 127 mean that the command could not be run, as in a shell.
    case exited(Int32)
    /// This signal killed it.
    case signalled(Int32)

    /// Whether the process exited with code 0.
    package var isSuccess: Bool { self == .exited(0) }
  }

  package let status: Status
  /// What it wrote to standard output, as bytes.
  package let standardOutput: [UInt8]
  /// What it wrote to standard error, as bytes.
  package let standardError: [UInt8]
  /// From before the spawn until after the last byte was read.
  package let duration: Duration

  /// Standard output as text; bytes that are not UTF-8 become U+FFFD.
  package var output: String { String(decoding: standardOutput, as: UTF8.self) }
  /// Standard error as text; bytes that are not UTF-8 become U+FFFD.
  package var errorOutput: String { String(decoding: standardError, as: UTF8.self) }
}

extension ProcessResult.Status: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exited(let code): "exit status \(code)"
    case .signalled(let signal): "killed by signal \(signal)"
    }
  }
}
