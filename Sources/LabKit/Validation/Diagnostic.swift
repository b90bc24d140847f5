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
    let lines = [place + "error: " + message.clipped] + (fix.map { ["  fix: " + $0.clipped] } ?? [])
    return lines.map(\.onOneLine).joined(separator: "\n")
  }
}

extension Diagnostic {
  /// The order of the lab's source; what has no place comes first.
  func precedes(_ other: Diagnostic) -> Bool {
    guard let location, let second = other.location else { return location == nil && other.location != nil }
    return (location.file, location.line, location.column) < (second.file, second.line, second.column)
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
  /// The text with everything escaped that could command the terminal it is shown on, or make it look like another
  /// text: control characters, bidirectional overrides, invisible characters. Lines and tabs stay.
  public var terminalSafe: String { escaped { $0.isUnsafe && $0 != "\n" && $0 != "\t" } }

  /// The same without line breaks and tabs, so that a name cannot forge a line of its own.
  var onOneLine: String { escaped(\.isUnsafe) }

  /// No more of it than a person would read: what a lab says can be of any length.
  fileprivate var clipped: String { utf8.count <= 600 ? self : prefix(600) + "…" }

  private func escaped(_ isUnsafe: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isUnsafe) else { return self }
    return unicodeScalars.map { isUnsafe($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}

extension Unicode.Scalar {
  /// True for what has no glyph of its own: control and format characters, and the separators of lines and paragraphs.
  var isUnsafe: Bool {
    if isASCII { return value < 0x20 || value == 0x7f }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
