/// The place in a lab's source that declared something: every element carries one, so that each message can name it.
package struct SourceLocation: Hashable, Codable, Sendable, CustomStringConvertible {
  package var file: String
  package var line: Int
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { "\(file):\(line):\(column)" }

  // One short string instead of three keys: a large lab has thousands of them.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 3, let line = Int(parts[parts.count - 2]), let column = Int(parts[parts.count - 1]),
      line >= 0, column >= 0
    else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a source location is FILE:LINE:COLUMN")
    }
    self.init(file: parts.dropLast(2).joined(separator: ":"), line: line, column: column)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
