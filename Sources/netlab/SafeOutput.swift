import LabKit
import Synchronization

/// What others wrote (labs, compilers, commands, names in the kernel) can hold anything: on its way to the terminal it
/// loses what commands terminals, and has an end.
extension Console {
  /// The text with everything escaped that could command a terminal, but for colours, if it may have some.
  static func safe(_ text: String, hasColours: Bool) -> String {
    guard hasColours, text.unicodeScalars.contains("\u{1b}") else { return text.terminalSafe }
    var parts = text.split(separator: "\u{1b}", omittingEmptySubsequences: false).map(String.init)
    for index in parts.indices.dropFirst() {
      let length = colourLength(parts[index])
      let (colour, rest) = (parts[index].prefix(length), parts[index].dropFirst(length))
      parts[index] = (length > 0 ? "\u{1b}" : "\\u{1B}") + colour + String(rest).terminalSafe
    }
    return parts[0].terminalSafe + parts.dropFirst().joined()
  }

  /// The length of a colour's sequence, without its first character: `[1;31m`; 0 if the text begins with none. Hidden
  /// and blinking text is no colour.
  private static func colourLength(_ text: String) -> Int {
    guard let match = text.prefixMatch(of: #/\[([0-9;]*)m/#) else { return 0 }
    let numbers = match.1.split(separator: ";").map { Int($0) ?? -1 }
    let allowed = numbers.allSatisfy { [0, 1, 2, 22, 39].contains($0) || 30...37 ~= $0 || 90...97 ~= $0 }
    return allowed ? match.0.count : 0
  }

  /// The same JSON, without the characters that could command a terminal: all of them are in strings.
  static func safeJSON(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isHidden) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard scalar.isHidden else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }

  /// The beginning of a text that is longer than a person would read.
  static func bounded(_ text: String) -> String {
    guard text.utf8.count > limit else { return text }
    return String(decoding: text.utf8.prefix(limit), as: UTF8.self)
      + "\n… and \(text.utf8.count - limit) bytes more, which are left out"
  }

  /// Bytes of one text, or of all that a lab says.
  static let limit = 64 << 10
}

extension Unicode.Scalar {
  fileprivate var isHidden: Bool { isUnsafe && self != "\n" }
}

/// What a lab and its compiler say while it is loaded, line by line.
final class LabVoice: Sendable {
  private let said = Mutex(0)

  /// Shows the next line, unless there were too many.
  func say(_ line: String) {
    let length = line.utf8.count + 1
    let before = said.withLock { said in
      defer { said += length }
      return said
    }
    guard before <= Console.limit else { return }
    if before + length <= Console.limit { return Console.warn(line) }
    Console.warn("netlab: the lab says more than \(Console.limit / 1024) KiB: the rest is left out")
  }
}
