import LabInspect
import LabKit
import LabMachine
import LabModel
import LabTrace
import Values

/// Characters on a grid, each with a style, that lines and boxes are drawn on.
struct Canvas {
  private var rows: [[Cell]] = []

  private struct Cell {
    var character: Character = " "
    var style = DrawingStyle.plain
  }

  var height: Int { rows.count }

  mutating func put(_ text: String, x: Int, y: Int, _ style: DrawingStyle = .plain) {
    for (offset, character) in text.enumerated() { put(character, x: x + offset, y: y, style) }
  }

  mutating func put(_ character: Character, x: Int, y: Int, _ style: DrawingStyle = .plain) {
    while rows.count <= y { rows.append([]) }
    while rows[y].count <= x { rows[y].append(Cell()) }
    rows[y][x] = Cell(character: character, style: style)
  }

  /// A box whose corners are at these places.
  mutating func box(x: ClosedRange<Int>, y: ClosedRange<Int>, _ style: DrawingStyle = .plain) {
    for column in x {
      put("─", x: column, y: y.lowerBound, style)
      put("─", x: column, y: y.upperBound, style)
    }
    for row in y {
      put("│", x: x.lowerBound, y: row, style)
      put("│", x: x.upperBound, y: row, style)
    }
    put("┌", x: x.lowerBound, y: y.lowerBound, style)
    put("┐", x: x.upperBound, y: y.lowerBound, style)
    put("└", x: x.lowerBound, y: y.upperBound, style)
    put("┘", x: x.upperBound, y: y.upperBound, style)
  }

  /// The lines, without spaces at their ends; `paint` gets each run of characters of one style.
  func lines(paint: (String, DrawingStyle) -> String) -> [String] {
    rows.map { row in
      var line = ""
      var run = ""
      var style = DrawingStyle.plain
      let end = (row.lastIndex { $0.character != " " } ?? -1) + 1
      for cell in row[..<end] {
        if cell.style != style, !run.isEmpty {
          line += paint(run, style)
          run = ""
        }
        style = cell.style
        run.append(cell.character)
      }
      return line + (run.isEmpty ? "" : paint(run, style))
    }
  }
}

/// What a part of a drawing means.
package enum DrawingStyle: Sendable {
  case plain
  /// A name.
  case strong
  /// On the painted path.
  case path
  /// Not as it should be.
  case problem
}
