/// What must hold on a running lab: a value of one of the ``CheckKinds``. It crosses a process boundary and ends up in
/// reports.
package struct Check: Sendable {
  package let value: any CheckValue

  package init(_ value: any CheckValue) { self.value = value }

  /// How deep checks are nested, counting this one.
  var depth: Int { 1 + (value.references.nested.map(\.depth).max() ?? 0) }
}

extension Check: Hashable {
  package static func == (first: Check, second: Check) -> Bool {
    AnyHashable(first.value) == AnyHashable(second.value)
  }
  package func hash(into hasher: inout Hasher) { value.hash(into: &hasher) }
}

/// In JSON `{"ping": {"from": "focal-1", …}}`, where synthesised coding would put a `_0` in between.
extension Check: Codable {
  /// The kinds by their names in JSON.
  private static let kinds = values(CheckKinds.self)

  private static func values<each Kind: CheckValue>(
    _: (repeat each Kind).Type
  ) -> [String: any CheckValue.Type] {
    var kinds: [String: any CheckValue.Type] = [:]
    for kind in repeat (each Kind).self { kinds[kind.kind] = kind }
    return kinds
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    let word = try container.onlyKey(of: "a check")
    guard let kind = Self.kinds[word.stringValue] else {
      throw DecodingError.dataCorruptedError(
        forKey: word, in: container, debugDescription: "there is no check of this kind")
    }
    self.init(try container.decode(kind, forKey: word))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    try container.encode(value, forKey: Word(type(of: value).kind))
  }
}
