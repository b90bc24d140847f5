/// What a ``Capture`` must have seen.
public enum Sighting: Hashable, Sendable, CustomStringConvertible {
  /// This many packets.
  case exactly(Int)
  /// This many packets or more.
  case atLeast(Int)
  /// No packet; the same capture is shown to see a frame of netlab's own.
  case nothing

  public var description: String {
    switch self {
    case .exactly(let count): "exactly \(count) packet\(count == 1 ? "" : "s")"
    case .atLeast(let count): "at least \(count) packet\(count == 1 ? "" : "s")"
    case .nothing: "nothing"
    }
  }

  package func admits(_ count: Int) -> Bool {
    switch self {
    case .exactly(let wanted): count == wanted
    case .atLeast(let wanted): count >= wanted
    case .nothing: count == 0
    }
  }
}

extension Sighting: Codable {
  /// `{"exactly": 6}`, `{"atLeast": 1}` or `{"nothing": true}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    let word = try container.onlyKey(of: "a sighting")
    switch word.stringValue {
    case "exactly": self = .exactly(try container.decode(Int.self, forKey: word))
    case "atLeast": self = .atLeast(try container.decode(Int.self, forKey: word))
    case "nothing": self = .nothing
    default:
      throw DecodingError.dataCorruptedError(
        forKey: word, in: container, debugDescription: "expected exactly, atLeast or nothing")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    switch self {
    case .exactly(let count): try container.encode(count, forKey: Word("exactly"))
    case .atLeast(let count): try container.encode(count, forKey: Word("atLeast"))
    case .nothing: try container.encode(true, forKey: Word("nothing"))
    }
  }
}
