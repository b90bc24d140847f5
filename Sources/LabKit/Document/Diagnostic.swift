/// One mistake in a lab: where, what, and what would mend it.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  package var location: SourceLocation?
  package var message: String
  /// What to write instead, where that is known.
  package var fix: String?

  package init(_ message: String, at location: SourceLocation? = nil, fix: String? = nil) {
    self.message = message
    self.location = location
    self.fix = fix
  }

  /// The compilers' form, so that editors and CI systems link it: `FILE:LINE:COLUMN: error: MESSAGE`.
  package var description: String {
    let place = location.map { "\($0): " } ?? ""
    let lines = [place + "error: " + message.clipped] + (fix.map { ["  fix: " + $0.clipped] } ?? [])
    return lines.map(\.onOneLine).joined(separator: "\n")
  }
}

extension Diagnostic {
  /// The order of the lab's source; what has no place comes first.
  package func precedes(_ other: Diagnostic) -> Bool {
    guard let location, let second = other.location else { return location == nil && other.location != nil }
    return (location.file, location.line, location.column) < (second.file, second.line, second.column)
  }
}

/// All the mistakes found in a lab; thrown together.
package struct LabErrors: Error, Sendable, CustomStringConvertible {
  package var diagnostics: [Diagnostic]

  package init(diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
