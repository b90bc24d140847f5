/// Why netlab could not do what it was asked: what was attempted, why it failed, and what to do.
public struct RunnerError: Error, Sendable, CustomStringConvertible {
  /// Decides the exit code.
  public enum Kind: Int32, Sendable {
    /// The command line or the lab is wrong.
    case usage = 2
    /// The machine lacks something.
    case environment = 3
    /// The kernel refused.
    case kernel = 4
  }

  public var kind: Kind
  public var message: String
  public var remedy: String?

  public init(_ kind: Kind, _ message: String, remedy: String? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
  }

  public var description: String { message + (remedy.map { "\n  \($0)" } ?? "") }
}
