import FoundationEssentials
import Glibc
import LabProcesses

/// What the command line prints, and how: colours only on a terminal, errors to standard error.
enum Console {
  /// Whether standard output gets colours.
  static let isColoured = hasColours(STDOUT_FILENO)

  private static func hasColours(_ descriptor: CInt) -> Bool {
    if environment("NO_COLOR") != nil { return false }
    if let force = environment("CLICOLOR_FORCE"), force != "0" { return true }
    return isatty(descriptor) == 1 && environment("TERM") != "dumb"
  }

  enum Style: String {
    case good = "32"
    case bad = "31"
    case faint = "2"
    case strong = "1"
    case notice = "33"
  }

  static func styled(_ text: String, _ style: Style) -> String {
    isColoured ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Writes a line to standard output at once, so that it is seen while the next thing is under way.
  static func print(_ line: String) {
    StandardStream.output.write(safe(line, hasColours: isColoured) + "\n")
  }

  /// Writes a line to standard error.
  static func warn(_ line: String) {
    StandardStream.error.write(safe(bounded(line), hasColours: hasColours(STDERR_FILENO)) + "\n")
  }

  /// Writes JSON to standard output.
  static func print(json: String) {
    StandardStream.output.write(safeJSON(json) + "\n")
  }

  /// Prints a value as JSON.
  static func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(json: runnable(String(decoding: try encoder.encode(value), as: UTF8.self)))
  }

  /// Rows with their columns aligned; the last column is not padded.
  static func table(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      row.enumerated().map { index, cell in
        index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }.joined(separator: "  ")
    }
  }

  /// The text with paths below the current directory as a person would write them.
  static func shortening(_ text: String) -> String {
    shortening(text, below: FileManager.default.currentDirectoryPath)
  }

  /// The same for any directory. One that was removed has no path.
  static func shortening(_ text: String, below directory: String) -> String {
    guard directory.hasPrefix("/"), directory != "/" else { return text }
    var result = ""
    var rest = text[...]
    while let range = rest.firstRange(of: "\(directory)/") {
      let before = (range.lowerBound == rest.startIndex ? result[...] : rest[..<range.lowerBound]).last
      let isStart = before.map { !($0.isLetter || $0.isNumber || "/._-~+".contains($0)) } ?? true
      result += rest[..<(isStart ? range.lowerBound : range.upperBound)]
      rest = rest[range.upperBound...]
    }
    return result + rest
  }

  /// The commands in a text as the user can run them: what `ip -n` finds for root is, for others, in a world.
  static func runnable(_ text: String) -> String {
    guard World.isCurrent else { return text }
    return text.replacing(#/\b(ip|bridge|tc) -n ([^ .]+)\.([^ ]+) /#) { match in
      "netlab exec \(match.2) \(match.3) -- \(match.1) "
    }
    .replacing(#/\bip netns exec ([^ .]+)\.([^ ]+) /#) { "netlab exec \($0.1) \($0.2) -- " }
  }

  /// `12 ms` or `1.3 s`.
  static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
    if milliseconds < 1000 { return "\(Int(milliseconds.rounded())) ms" }
    let tenths = Int((milliseconds / 100).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }

  static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}

extension Duration {
  /// In milliseconds with three digits, for JSON.
  var milliseconds: Double {
    Double(components.seconds) * 1000 + (Double(components.attoseconds) / 1e12).rounded() / 1000
  }
}
