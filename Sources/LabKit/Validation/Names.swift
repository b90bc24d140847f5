/// What the kernel and the tools can take as a name.
public enum NameRule {
  /// A node's or lab's name becomes part of a file name in `/run/netns`, and of altnames (127 characters in all).
  static let nodeLimit = 63
  /// IFNAMSIZ - 1.
  static let deviceLimit = 15

  /// What is wrong with the name of a lab, VM or host; `nil` if nothing is.
  public static func problem(ofNode name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > nodeLimit { return "is longer than \(nodeLimit) characters" }
    let wrong = name.unicodeScalars.first { !isWord($0) && $0 != "-" && $0 != "_" }
    if let wrong { return "contains \(quoted(wrong)); letters, digits, '-' and '_' can be used" }
    guard let first = name.unicodeScalars.first, isWord(first) else {
      return "must begin with a letter or digit"
    }
    return nil
  }

  /// What is wrong with the name of a network; `nil` if nothing is. It never becomes a file or device name.
  static func problem(ofNetwork name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > 255 { return "is longer than 255 characters" }
    if let wrong = name.unicodeScalars.first(where: { $0.isUnsafe || $0 == " " }) {
      return "contains \(quoted(wrong))"
    }
    return nil
  }

  /// What is wrong with the name of an interface; `nil` if nothing is (see dev_valid_name in the kernel).
  static func problem(ofDevice name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > deviceLimit { return "is longer than \(deviceLimit) characters" }
    if ["lo", "all", "default", ".", ".."].contains(name) { return "is reserved by the system" }
    let wrong = name.unicodeScalars.first { !isWord($0) && !"-_.".unicodeScalars.contains($0) }
    if let wrong { return "contains \(quoted(wrong)); letters, digits, '-', '_' and '.' can be used" }
    return nil
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
  }

  private static func quoted(_ scalar: Unicode.Scalar) -> String {
    scalar.isUnsafe ? "the control character U+\(String(scalar.value, radix: 16))" : "'\(scalar)'"
  }
}

/// The candidate most like a mistyped name, if one is near enough to be meant.
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let limit = max(1, (name.count + 1) / 3)
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let distance = editDistance(name, candidate, limit: limit)
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// How many letters have to be inserted, removed or replaced (Levenshtein); anything above `limit` is `limit + 1`.
private func editDistance(_ first: String, _ second: String, limit: Int) -> Int {
  let first = Array(first.lowercased())
  let second = Array(second.lowercased())
  guard abs(first.count - second.count) <= limit else { return limit + 1 }
  var row = Array(0...second.count)
  for (i, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in second.indices {
      let replaced = diagonal + (letter == second[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return min(row[second.count], limit + 1)
}
