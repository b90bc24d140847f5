import LabInspect
import LabKit
import LabMachine
import LabModel
import LabTrace
import Values

extension LabGraph {
  /// The graph as one SVG file without references to others, light or dark as its viewer is.
  package var svg: String {
    var drawing = SVGDrawing()
    var y = SVGDrawing.margin
    for host in hosts { y = drawing.draw(host, from: y) + SVGDrawing.margin }
    for note in notes { y = drawing.draw(note: note, y: y) }
    return drawing.document(title: lab, height: y)
  }
}

/// An SVG under construction. Lengths are in its own units, which are pixels at full size.
private struct SVGDrawing {
  static let margin = 24
  private static let columnWidth = 208
  private static let lineHeight = 17
  private static let boxPadding = 9

  private var parts: [String] = []
  private var width = 320

  private struct Column {
    var port: LabGraph.Port
    var left: Int
    var bottom = 0
    var center: Int { left + columnWidth / 2 }
    var isOnPath: Bool { port.interface.isOnPath && port.chain.allSatisfy(\.isOnPath) }
  }

  /// Draws a host; gives back where it ends.
  mutating func draw(_ host: LabGraph.Host, from top: Int) -> Int {
    // The frame goes behind all that is in it, so it is put in its place when its size is known.
    let frame = parts.count
    var columns: [Column] = []
    var left = 2 * Self.margin
    let head = top + 34
    let machineHeight =
      (host.machines.flatMap(\.ports).map(\.interface.lines.count).max() ?? 0) * Self.lineHeight + 34
    for machine in host.machines {
      let count = max(machine.ports.count, 1)
      let isOnPath = machine.ports.contains { $0.interface.isOnPath }
      box(left, head, count * Self.columnWidth - 12, machineHeight, "machine" + (isOnPath ? " path" : ""))
      text(machine.name, left + 12, head + 20, "name")
      for port in machine.ports {
        lines(of: port.interface, left + 12, head + 20 + Self.lineHeight, anchor: "start")
        columns.append(Column(port: port, left: left - 6))
        left += Self.columnWidth
      }
      if machine.ports.isEmpty { left += Self.columnWidth }
    }
    for index in columns.indices { drawChain(of: &columns[index], from: head + machineHeight) }
    let floor = (columns.map(\.bottom).max() ?? head) + 44
    let bottom = drawSwitches(of: host, columns, from: floor)
    width = max(width, left + 2 * Self.margin)
    parts.insert(
      "<rect class=\"host\" x=\"\(Self.margin)\" y=\"\(top)\" width=\"\(left - Self.margin + 12)\" "
        + "height=\"\(bottom + 20 - top)\" rx=\"10\"/>", at: frame)
    text(host.name, 2 * Self.margin, top + 22, "title")
    return bottom + 20
  }

  mutating func draw(note: String, y: Int) -> Int {
    text("✗ \(note)", Self.margin, y + 12, "problem")
    width = max(width, Self.margin * 2 + note.count * 8)
    return y + Self.lineHeight + 4
  }

  private mutating func drawChain(of column: inout Column, from top: Int) {
    var y = top
    var previous = column.port.interface
    for element in column.port.chain {
      // A port is close to its bridge; the ends of a cable are apart.
      let gap = previous.kind == element.kind || previous.kind == .interface ? 26 : 8
      let height = element.lines.count * Self.lineHeight + Self.boxPadding
      line(column.center, y, y + gap, previous.isOnPath && element.isOnPath)
      let inset = element.kind == .bridge ? 10 : 24
      box(
        column.left + inset, y + gap, Self.columnWidth - 2 * inset, height,
        (element.kind == .bridge ? "bridge" : "end") + element.styles)
      lines(of: element, column.center, y + gap + Self.lineHeight, anchor: "middle")
      y += gap + height
      previous = element
    }
    column.bottom = y
  }

  /// Each switch in the highest row in which it overlaps no other.
  private mutating func drawSwitches(of host: LabGraph.Host, _ columns: [Column], from top: Int) -> Int {
    var levels: [[ClosedRange<Int>]] = []
    var drawn: [(element: LabGraph.Element, span: ClosedRange<Int>, y: Int, ports: [Column])] = []
    let height = (host.switches.map(\.lines.count).max() ?? 0) * Self.lineHeight + Self.boxPadding + 4
    for element in host.switches {
      let ports = columns.filter { $0.port.bridge == element.device }
      guard let left = ports.map(\.left).min(), let right = ports.map(\.left).max() else { continue }
      let span = left + 6...right + Self.columnWidth - 6
      let level = levels.firstIndex { taken in !taken.contains { $0.overlaps(span) } } ?? levels.count
      if level == levels.count { levels.append([]) }
      levels[level].append(span)
      drawn.append((element, span, top + level * (height + 24), ports))
    }
    // Lines first: those to lower switches run behind the upper ones.
    for (element, _, y, ports) in drawn {
      for column in ports { line(column.center, column.bottom, y, column.isOnPath && element.isOnPath) }
    }
    for (element, span, y, ports) in drawn {
      box(span.lowerBound, y, span.count - 1, height, "switch" + element.styles)
      lines(of: element, span.lowerBound + 14, y + Self.lineHeight + 2, anchor: "start")
      for column in ports {
        guard let tag = column.port.tag else { continue }
        box(column.center - 26, top - 32, 52, 20, "tag" + (column.isOnPath ? " path" : ""))
        text("tag \(tag)", column.center, top - 18, "small", anchor: "middle")
      }
    }
    return top + levels.count * (height + 24) - (levels.isEmpty ? 0 : 24)
  }

  // MARK: Primitives

  private mutating func lines(of element: LabGraph.Element, _ x: Int, _ y: Int, anchor: String) {
    for (offset, line) in element.lines.enumerated() {
      let style = offset == 0 ? "device" : offset > element.details.count ? "problem" : "small"
      text(line, x, y + offset * Self.lineHeight, style, anchor: anchor)
    }
  }

  private mutating func box(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ style: String) {
    parts.append(
      "<rect class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"6\"/>")
  }

  private mutating func line(_ x: Int, _ top: Int, _ bottom: Int, _ isOnPath: Bool) {
    parts.append(
      "<path class=\"line\(isOnPath ? " path" : "")\" d=\"M\(x) \(top)V\(bottom)\"/>")
  }

  private mutating func text(_ text: String, _ x: Int, _ y: Int, _ style: String, anchor: String = "start") {
    parts.append(
      "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\">\(text.xmlSafe)</text>")
  }

  func document(title: String, height: Int) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
    role="img">
    <title>\(title.xmlSafe)</title>
    <style>
    svg { color-scheme: light dark; background: #ffffff }
    text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
    .title, .name { font-weight: 600; font-family: system-ui, "DejaVu Sans", sans-serif }
    .small { font-size: 12px; fill: #59636e }
    rect { fill: #ffffff; stroke: #8c959f; stroke-width: 1.2 }
    .host { fill: #f6f8fa; stroke: #d1d9e0 }
    .machine { fill: #ddf4ff; stroke: #0969da }
    .bridge, .switch { fill: #fff8c5; stroke: #9a6700 }
    .tag { fill: #fbefff; stroke: #8250df }
    .line { stroke: #59636e; stroke-width: 1.5; fill: none }
    .path { stroke: #1a7f37; stroke-width: 3 }
    rect.problem { stroke: #cf222e; stroke-width: 3; stroke-dasharray: 6 3 }
    text.problem { fill: #cf222e }
    @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #f0f6fc }
    .small { fill: #b1bac4 }
    rect { fill: #0d1117; stroke: #656c76 }
    .host { fill: #151b23; stroke: #3d444d }
    .machine { fill: #0c2d4e; stroke: #4493f8 }
    .bridge, .switch { fill: #362a05; stroke: #d29922 }
    .tag { fill: #2b1d47; stroke: #ab7df8 }
    .line { stroke: #9198a1 }
    .path { stroke: #3fb950 }
    rect.problem { stroke: #f85149 }
    text.problem { fill: #ff7b72 }
    }
    </style>
    \(parts.joined(separator: "\n"))
    </svg>
    """
  }
}

extension LabGraph.Element {
  fileprivate var styles: String { (isOnPath ? " path" : "") + (problems.isEmpty ? "" : " problem") }
}

extension String {
  fileprivate var xmlSafe: String {
    replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
