/// One mistake in a lab: where, what, and what would mend it.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  public var location: SourceLocation?
  public var message: String
  /// What to write instead, where that is known.
  public var fix: String?

  public init(_ message: String, at location: SourceLocation? = nil, fix: String? = nil) {
    self.message = message
    self.location = location
    self.fix = fix
  }

  /// The compilers' form, so that editors and CI systems link it: `FILE:LINE:COLUMN: error: MESSAGE`.
  public var description: String {
    let place = location.map { "\($0): " } ?? ""
    return (place + "error: " + message + (fix.map { "\n  fix: \($0)" } ?? "")).terminalSafe
  }
}

/// All the mistakes found in a lab; thrown together.
public struct LabErrors: Error, Sendable, CustomStringConvertible {
  public var diagnostics: [Diagnostic]

  public init(diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

extension String {
  /// The text without control characters, which could otherwise command the terminal it is shown on.
  public var terminalSafe: String {
    guard unicodeScalars.contains(where: { $0.isControl && $0 != "\n" }) else { return self }
    return unicodeScalars.map { $0.isControl && $0 != "\n" ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}

extension Unicode.Scalar {
  var isControl: Bool {
    value < 0x20 || (0x7f...0x9f).contains(value) || (0x202a...0x202e).contains(value)
      || (0x2066...0x2069).contains(value)
  }
}
