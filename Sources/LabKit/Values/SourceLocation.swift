/// The place in a lab's source that declared something: every element carries one, so that each message can name it.
public struct SourceLocation: Hashable, Codable, Sendable, CustomStringConvertible {
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }

  // One short string instead of three keys: a large lab has thousands of them.
  public init(from decoder: any Decoder) throws {
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

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
