/// One kind of check.
package protocol CheckValue: Checks, Hashable, Codable, Sendable {
  /// The kind as JSON and reports name it: `ping`, `notFlooded`.
  static var kind: String { get }
  var location: SourceLocation { get }
  /// One line for reports: `ping focal-1 → focal-2`.
  var title: String { get }
  /// What the check refers to, for validation.
  var references: CheckReferences { get }
  /// True for checks that others would disturb: they run alone. Packets of other checks would be counted, or take up what
  /// a kernel allows.
  var isExclusive: Bool { get }
}

extension CheckValue {
  package var isExclusive: Bool { false }
}
