// How checks stand in JSON: `{"ping": {"from": "focal-1", …}}`, where the synthesised coding has a `_0` in between.

extension Check: Codable {
  private static let kinds = values(CheckKinds.self)

  private static func values<each Kind: CheckValue>(_: (repeat each Kind).Type) -> [String:
    any CheckValue.Type]
  {
    var kinds: [String: any CheckValue.Type] = [:]
    repeat kinds[(each Kind).kind] = (each Kind).self
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

extension CapturePoint.Place: Codable {
  private enum Key: CodingKey { case network, fabric, device }

  /// `{"device": "br-int"}`, `{"fabric": "tap", "network": "int_net"}` or `{"network": "int_net"}`; the network may be absent.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let network = try container.decodeIfPresent(String.self, forKey: .network)
    if let device = try container.decodeIfPresent(String.self, forKey: .device) {
      self = .device(device)
    } else if let role = try container.decodeIfPresent(CapturePoint.FabricRole.self, forKey: .fabric) {
      self = .fabric(role, network: network)
    } else {
      self = .port(network: network)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .device(let device): try container.encode(device, forKey: .device)
    case .fabric(let role, let network):
      try container.encode(role, forKey: .fabric)
      try container.encodeIfPresent(network, forKey: .network)
    case .port(let network): try container.encodeIfPresent(network, forKey: .network)
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

/// The one key of an object that stands for a case.
private struct Word: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init(_ word: String) { stringValue = word }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<Word> {
  fileprivate func onlyKey(of what: String) throws -> Word {
    guard allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: codingPath, debugDescription: "\(what) is an object with one key"))
    }
    return allKeys[0]
  }
}
