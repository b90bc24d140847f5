/// Why packets do not arrive, in one line, and the trace that shows it.
public struct Explanation: Codable, Sendable {
  /// Whether something is wrong.
  public var isFault: Bool
  /// One line: what is lost where, the device and its state, what the lab wants, and the command that repairs it.
  public var culprit: String
  /// What is wrong, for programs.
  public var fault: Trace.Drop?
  /// The commands that repair it.
  public var repair: [String] = []
  /// nil if there was nothing to trace.
  public var trace: Trace?

  /// The culprit, then the trace.
  public func text(_ form: Trace.Form = .minimal) -> String {
    [culprit, trace?.text(form)].compactMap { $0 }.joined(separator: "\n")
  }
}
