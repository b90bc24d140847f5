/// What shows that a service can be used. It is looked at, never waited for by the clock.
public enum Readiness: Hashable, Sendable {
  /// Something in the node listens at a TCP port.
  case tcp(Int)
  /// Something in the node has a UDP port.
  case udp(Int)
  /// There is a Unix socket at a path.
  case unixSocket(String)
  /// A line of its output has this text in it.
  case line(String)
  /// A command, which is run in the node again and again, succeeds.
  case succeeds([String])

  /// A command, which is run in the node again and again, succeeds.
  public static func command(_ command: String...) -> Readiness { .succeeds(command) }
}

extension Readiness: CustomStringConvertible {
  /// What is waited for, in words.
  public var description: String {
    switch self {
    case .tcp(let port): "something listens at TCP port \(port)"
    case .udp(let port): "something has UDP port \(port)"
    case .unixSocket(let path): "there is a socket at \(path)"
    case .line(let text): "its output has '\(text)' in it"
    case .succeeds(let command): "'\(command.joined(separator: " "))' succeeds"
    }
  }
}

extension Readiness: Codable {
  /// `{"tcp": 80}`, `{"udp": 53}`, `{"unixSocket": "/run/a"}`, `{"line": "…"}` or `{"command": ["…"]}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    let word = try container.onlyKey(of: "a readiness")
    switch word.stringValue {
    case "tcp": self = .tcp(try container.decode(Int.self, forKey: word))
    case "udp": self = .udp(try container.decode(Int.self, forKey: word))
    case "unixSocket": self = .unixSocket(try container.decode(String.self, forKey: word))
    case "line": self = .line(try container.decode(String.self, forKey: word))
    case "command": self = .succeeds(try container.decode([String].self, forKey: word))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: word, in: container, debugDescription: "expected tcp, udp, unixSocket, line or command")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    switch self {
    case .tcp(let port): try container.encode(port, forKey: Word("tcp"))
    case .udp(let port): try container.encode(port, forKey: Word("udp"))
    case .unixSocket(let path): try container.encode(path, forKey: Word("unixSocket"))
    case .line(let text): try container.encode(text, forKey: Word("line"))
    case .succeeds(let command): try container.encode(command, forKey: Word("command"))
    }
  }
}
