/// What Swift's runtime reports, on standard error, of a lab that stopped by itself: an index out of range, a `nil` that was
/// unwrapped, a `fatalError`.
///
/// ```
/// Swift/ContiguousArrayBuffer.swift:692: Fatal error: Index out of range
///
/// *** Signal 4: Backtracing from 0x7fce0856df7f... done ***
/// …
///   3 [ra]          0x00005638ee6d2131 Helper.pick(_:) + 64 in lab at /labs/Trap.swift:5:43
/// ```
struct Trap {
  private let labFile: String
  private var message: String?
  private var isInReport = false
  /// The innermost place in the lab's file, `FILE:LINE:COLUMN`.
  private var place: String?
  /// The last lines, which seemed to be a report's beginning.
  private var held: [String] = []

  init(labFile: String) { self.labFile = labFile }

  /// Takes the next line; gives back those that the lab itself wrote.
  mutating func take(_ line: String) -> [String] {
    if isInReport {
      if place == nil { place = line.text(behind: " at \(labFile):").map { "\(labFile):\($0)" } }
      if message == nil, let failure = line.text(behind: "Swift runtime failure: ") {
        message = failure.firstRange(of: " in ").map { String(failure[..<$0.lowerBound]) }
      }
      return []
    }
    if line.hasPrefix("*** Signal ") || line.hasPrefix("*** Program crashed") {
      isInReport = true
      return []
    }
    if line.isEmpty {
      held.append(line)
      return []
    }
    defer { if message != nil { held = [line] } }
    let earlier = held
    held = []
    message = line.text(behind: "Fatal error: ").map(String.init)
    return message == nil ? earlier + [line] : earlier
  }

  /// What was held back, when the process did not stop by itself after all.
  var rest: [String] { isInReport ? [] : held }

  /// Where the process stopped, and why.
  var description: String {
    "it stopped" + (place.map { " at \($0)" } ?? "")
      + ": \(message ?? "the processor refused an operation")"
  }
}

extension String {
  /// What follows some words.
  fileprivate func text(behind words: String) -> Substring? {
    firstRange(of: words).map { self[$0.upperBound...] }
  }
}
