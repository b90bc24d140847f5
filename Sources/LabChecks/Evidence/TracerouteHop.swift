import Values

/// Who answered at one distance, as `traceroute -n` prints it.
///
///      1  10.0.0.2  0.5 ms
///      1  10.0.0.1  3.0 ms !H
///      1  *
struct TracerouteHop {
  /// An address, with the error where that was the answer: `10.0.0.1 !H`; or `*`.
  var text: String
  /// Whose answer it is; `nil` for no answer, and for an error, which is not the target's answer.
  var address: IPAddress?
  var isSilent: Bool { text == "*" }

  static func hops(in output: String) -> [TracerouteHop] {
    output.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count >= 2, Int(words[0]) != nil else { return nil }
      if let error = words.last, error.hasPrefix("!") {
        return TracerouteHop(text: "\(words[1]) \(error)", address: nil)
      }
      return TracerouteHop(text: String(words[1]), address: IPAddress(String(words[1])))
    }
  }
}
