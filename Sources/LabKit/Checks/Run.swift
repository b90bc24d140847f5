/// A command in a node ends with the expected status and output: `ip netns exec NODE COMMAND`.
///
/// Texts are compared byte by byte, so that a line may end in `\r\n` and need not be UTF-8.
///
/// The command is given as its arguments and never passes through a shell.
///
///     Run(on: web, "ip", "-brief", "address", output: .contains("10.0.1.10/24"))
///     Run(on: web, "test", "-e", "/proc/net/vlan", status: 1)
///     Run(on: web, "nft", "-f", "-", input: "flush ruleset", timeout: .seconds(5))
///     Run(on: web, "sh", "-c", "kill -9 $$", signal: 9)
public struct Run: Checks, CheckValue {
  package static let kind = "run"

  /// What a stream of the command must be like.
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
  package var errors: Output?
  /// The signal that must end it, in place of the status.
  package var signal: Int?
  /// What it reads from standard input.
  package var input: String?
  /// In milliseconds; a minute when absent.
  package var timeout: Int?
  /// In bytes, for each stream; a MiB when absent.
  package var outputLimit: Int?
  package var location: SourceLocation

  /// - Parameters:
  ///   - node: A VM or a host.
  ///   - command: The program and its arguments.
  ///   - status: The exit status that passes, from 0 to 255.
  ///   - output: What standard output must be like.
  ///   - errors: What standard error must be like.
  ///   - signal: The number of the signal that must end the command; then no status passes.
  ///   - input: What the command reads from standard input; nothing by default.
  ///   - timeout: Up to an hour. Then the command is killed, and the check fails.
  ///   - outputLimit: How many bytes of each stream are kept, up to 1 GiB. A command that writes more is killed, and the
  ///     check could not be determined.
  public init(
    on node: some NodeReference, _ command: String..., status: Int = 0, output: Output = .anything,
    errors: Output? = nil, signal: Int? = nil, input: String? = nil, timeout: Duration? = nil,
    outputLimit: Int? = nil,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.node = node.nodeName
    self.command = command
    self.status = status
    self.output = output
    self.errors = errors
    self.signal = signal
    self.input = input
    self.timeout = timeout.map { $0.wholeMicroseconds / 1000 }
    self.outputLimit = outputLimit
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "run on \(node): \(command.joined(separator: " "))".onOneLine }
  package var references: CheckReferences {
    var references = CheckReferences(
      points: [CapturePoint(node: node, place: .device("lo"))],
      numbers: [
        ("status", status, 0...255), ("signal", signal ?? 1, 1...64),
        ("timeout (ms)", timeout ?? 1, 1...3_600_000), ("output limit", outputLimit ?? 1, 1...(1 << 30)),
      ])
    for case .matches(let pattern) in [output, errors ?? .anything] { references.patterns.append(pattern) }
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
