/// The one key of an object that stands for a case.
struct Word: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init(_ word: String) { stringValue = word }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<Word> {
  func onlyKey(of what: String) throws -> Word {
    guard allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: codingPath, debugDescription: "\(what) is an object with one key"))
    }
    return allKeys[0]
  }
}
