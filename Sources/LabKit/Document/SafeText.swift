extension String {
  /// The text with everything escaped that could command the terminal it is shown on, or make it look like another
  /// text: control characters, bidirectional overrides, invisible characters. Lines and tabs stay.
  package var terminalSafe: String { escaped { $0.isUnsafe && $0 != "\n" && $0 != "\t" } }

  /// The same without line breaks and tabs, so that a name cannot forge a line of its own.
  package var onOneLine: String { escaped(\.isUnsafe) }

  /// No more of it than a person would read: what a lab says can be of any length.
  var clipped: String { utf8.count <= 600 ? self : prefix(600) + "…" }

  private func escaped(_ isUnsafe: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isUnsafe) else { return self }
    return unicodeScalars.map { isUnsafe($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}

extension Unicode.Scalar {
  /// True for what has no glyph of its own: control and format characters, and the separators of lines and paragraphs.
  package var isUnsafe: Bool {
    if isASCII { return value < 0x20 || value == 0x7f }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
