import Glibc
import LabKit

/// Rows in aligned columns, in no more width than the terminal has: cells that are too long go on below.
struct TextTable {
  private let header: [String]
  private let rightAligned: Set<Int>
  private var rows: [Row] = []

  private struct Row {
    var heading: String?
    var cells: [String]
    var detail: String?
  }

  /// - Parameter rightAligned: the columns of numbers.
  init(_ header: [String], rightAligned: Set<Int> = []) {
    self.header = header
    self.rightAligned = rightAligned
  }

  /// - Parameter detail: what stands below the row, indented.
  mutating func add(_ cells: [String], detail: String? = nil) {
    rows.append(Row(cells: cells.map(\.terminalSafe), detail: detail?.terminalSafe))
  }

  /// A line of its own above the rows that follow, which are indented.
  mutating func addHeading(_ heading: String) {
    rows.append(Row(heading: heading, cells: []))
  }

  /// The lines of the table. Columns that are empty in all rows are left out.
  func lines(width limit: Int? = Console.width) -> [String] {
    let content = rows.map(\.cells).filter { !$0.isEmpty }
    let columns = header.indices.filter { column in content.contains { !$0[column].isEmpty } }
    let indent = rows.contains { $0.heading != nil } ? "  " : ""
    let widths = fit(
      columns.map { column in ([header] + content).map { $0[column] } }, into: limit.map { $0 - indent.count }
    )
    func lines(_ cells: [String]) -> [String] {
      let wrapped = columns.enumerated().map { place, column in cells[column].wrapped(to: widths[place]) }
      return (0..<(wrapped.map(\.count).max() ?? 0)).map { line in
        indent
          + columns.enumerated().map { place, column in
            let text = line < wrapped[place].count ? wrapped[place][line] : ""
            let space = String(repeating: " ", count: max(0, widths[place] - text.count))
            return rightAligned.contains(column) ? space + text : text + space
          }.joined(separator: "  ").trimmingTrailingSpaces
      }
    }
    return lines(header).map { Console.styled($0, .faint) }
      + rows.flatMap { row in
        if let heading = row.heading { return [heading] }
        let detail = row.detail?.wrapped(to: (limit ?? .max) - 4) ?? []
        return lines(row.cells) + detail.map { Console.styled("    \($0)", .faint) }
      }
  }

  /// Takes from the widest columns until all fit, but breaks no word: names have to stay whole to be copied.
  private func fit(_ columns: [[String]], into limit: Int?) -> [Int] {
    var widths = columns.map { cells in cells.map(\.count).max() ?? 0 }
    guard let limit else { return widths }
    let least = columns.map { cells in cells.flatMap { $0.split(separator: " ") }.map(\.count).max() ?? 0 }
    let room = limit - 2 * (widths.count - 1)
    while widths.reduce(0, +) > room,
      let widest = widths.indices.filter({ widths[$0] > least[$0] }).max(by: { widths[$0] < widths[$1] })
    {
      widths[widest] -= 1
    }
    return widths
  }
}

extension Console {
  /// The columns of the terminal that standard output is; `nil` when it is none, so that scripts get whole lines.
  static var width: Int? {
    var size = winsize()
    if unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  }
}

extension String {
  /// The text in lines of at most so many characters, broken at spaces; a longer word stays whole.
  func wrapped(to width: Int) -> [String] {
    guard count > width else { return [self] }
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [line]
  }

  fileprivate var trimmingTrailingSpaces: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
