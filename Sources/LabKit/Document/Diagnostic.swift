/// One mistake in a lab, or something doubtful: where, what, and what would repair it.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case error
    /// The lab can be brought up, but is probably not what its author means.
    case warning
  }

  package var kind = Kind.error
  package var location: SourceLocation?
  package var message: String
  /// What to write instead, where that is known.
  package var fix: String?

  package init(
    _ message: String, at location: SourceLocation? = nil, fix: String? = nil, kind: Kind = .error
  ) {
    self.kind = kind
    self.message = message
    self.location = location
    self.fix = fix
  }

  /// The compilers' form, so that editors and CI systems link it: `FILE:LINE:COLUMN: error: MESSAGE`.
  package var description: String {
    let place = location.map { "\($0): " } ?? ""
    let first = place + "\(kind.rawValue): " + message.clipped
    let lines = [first] + (fix.map { ["  fix: " + $0.clipped] } ?? [])
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

  /// The first ones, and how many more there are: a loop can make the same mistake thousands of times.
  package var description: String {
    let limit = 100
    let rest = diagnostics.count - limit
    let lines = diagnostics.prefix(limit).map(\.description)
    return (lines + (rest > 0 ? ["… and \(rest) more"] : [])).joined(separator: "\n")
  }
}
