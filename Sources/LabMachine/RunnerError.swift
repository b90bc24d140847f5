import Netlink

/// Why netlab could not do what it was asked: what was attempted, why it failed, and what to do.
package struct RunnerError: Error, Sendable, CustomStringConvertible {
  /// Decides the exit code.
  package enum Kind: Int32, Sendable {
    /// The command line or the lab is wrong.
    case usage = 2
    /// The machine lacks something.
    case environment = 3
    /// The kernel refused.
    case kernel = 4
  }

  package var kind: Kind
  package var message: String
  package var remedy: String?

  package init(_ kind: Kind, _ message: String, remedy: String? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
  }

  package var description: String { message + (remedy.map { "\n  \($0)" } ?? "") }
}
