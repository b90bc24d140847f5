import LabKit
import Values

/// What the kernel and the tools can take as a name.
package struct NameRule: Sendable {
  /// In characters.
  let limit: Int
  /// What may stand in the name beside letters and digits.
  let signs: String
  let reserved: Set<String>

  /// Labs, hosts and VMs: their names become file names in `/run/netns`, and altnames (127 characters in all).
  package static let node = NameRule(limit: 63, signs: "-_", reserved: [])
  /// Networks: their names stand in aliases (255 characters in all).
  static let network = NameRule(limit: 63, signs: "-_.", reserved: [])
  /// Interfaces: IFNAMSIZ - 1 characters, and no name that stands for something else in sysfs or procfs.
  static let device = NameRule(
    limit: 15, signs: "-_.", reserved: ["lo", "all", "default", "bonding_masters"])

  /// What is wrong with a name; `nil` if nothing is.
  package func problem(of name: String) -> String? {
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
