/// A command in a node ends with the expected status and output: `ip netns exec NODE COMMAND`.
///
/// The command is given as its arguments and never passes through a shell.
///
///     Run(on: web, "ip", "-brief", "address", output: .contains("10.0.1.10/24"))
///     Run(on: web, "test", "-e", "/proc/net/vlan", status: 1)
public struct Run: Checks, CheckValue {
  package static let kind = "run"

  /// What the command's standard output must be like.
  public enum Output: Hashable, Sendable {
    case anything
    /// This text, anywhere in the output.
    case contains(String)
    /// A regular expression that matches somewhere in the output; `^` and `$` match at each line.
    case matches(String)
  }

  package var node: String
  package var command: [String]
  package var status: Int
  package var output: Output
  package var location: SourceLocation

  /// - Parameters:
  ///   - node: A VM or a host.
  ///   - command: The program and its arguments. It is killed after 60 seconds, and the check fails.
  ///   - status: The exit status that passes, from 0 to 255.
  ///   - output: What standard output must be like.
  public init(
    on node: some NodeReference, _ command: String..., status: Int = 0, output: Output = .anything,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.node = node.nodeName
    self.command = command
    self.status = status
    self.output = output
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "run on \(node): \(command.joined(separator: " "))".onOneLine }
  package var references: CheckReferences {
    var references = CheckReferences(
      points: [CapturePoint(node: node, place: .device("lo"))], numbers: [("status", status, 0...255)])
    if case .matches(let pattern) = output { references.patterns = [pattern] }
    if command.first?.isEmpty ?? true { references.problems.append("there is no command to run") }
    if command.contains(where: { $0.utf8.contains(0) }) {
      references.problems.append("an argument of a command cannot contain U+0000")
    }
    return references
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

extension Run.Output: Codable {
  /// `{"contains": "…"}`, `{"matches": "…"}` or `{"anything": true}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    let word = try container.onlyKey(of: "an output")
    switch word.stringValue {
    case "contains": self = .contains(try container.decode(String.self, forKey: word))
    case "matches": self = .matches(try container.decode(String.self, forKey: word))
    case "anything": self = .anything
    default:
      throw DecodingError.dataCorruptedError(
        forKey: word, in: container, debugDescription: "expected contains, matches or anything")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    switch self {
    case .contains(let text): try container.encode(text, forKey: Word("contains"))
    case .matches(let pattern): try container.encode(pattern, forKey: Word("matches"))
    case .anything: try container.encode(true, forKey: Word("anything"))
    }
  }
}
