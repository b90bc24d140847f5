/// What the kernel and the tools can take as a name.
public struct NameRule: Sendable {
  /// In characters.
  let limit: Int
  /// What may stand in the name beside letters and digits.
  let signs: String
  let reserved: Set<String>

  /// Labs, hosts and VMs: their names become file names in `/run/netns`, and altnames (127 characters in all).
  public static let node = NameRule(limit: 63, signs: "-_", reserved: [])
  /// Networks: their names stand in aliases (255 characters in all).
  static let network = NameRule(limit: 63, signs: "-_.", reserved: [])
  /// Interfaces: IFNAMSIZ - 1 characters, and no name that stands for something else in sysfs or procfs.
  static let device = NameRule(
    limit: 15, signs: "-_.", reserved: ["lo", "all", "default", "bonding_masters"])

  /// What is wrong with a name; `nil` if nothing is.
  public func problem(of name: String) -> String? {
    guard let first = name.unicodeScalars.first else { return "is empty" }
    if let wrong = name.unicodeScalars.first(where: { !allows($0) }) {
      let shown =
        wrong.isUnsafe
        ? "the invisible character U+\(String(wrong.value, radix: 16, uppercase: true))" : "'\(wrong)'"
      let signs = signs.map { "'\($0)'" }
      return
        "contains \(shown); letters, digits, \(signs.dropLast().joined(separator: ", ")) and \(signs.last ?? "") can be used"
    }
    if !isWord(first) { return "must begin with a letter or digit" }
    if name.utf8.count > limit { return "is longer than \(limit) characters" }
    if reserved.contains(name) { return "is reserved by the system" }
    return nil
  }

  /// A name like this one that can be used, if there is one, as a fix.
  func fix(for name: String) -> String? {
    let mended = String(
      String.UnicodeScalarView(
        name.unicodeScalars.lazy.map { allows($0) ? $0 : "-" }.drop { !isWord($0) }.prefix(limit)))
    return problem(of: mended) == nil ? "write '\(mended)'" : nil
  }

  private func allows(_ scalar: Unicode.Scalar) -> Bool {
    isWord(scalar) || signs.unicodeScalars.contains(scalar)
  }

  private func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
  }
}

/// The candidate most like a mistyped name, if one is near enough to be meant.
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let limit = (name.count + 1) / 3
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
