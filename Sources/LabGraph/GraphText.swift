import LabInspect
import LabKit
import LabMachine
import LabModel
import LabTrace
import Values

extension LabGraph {
  /// The graph in box characters: VMs on top, below each its chain of devices, the switches at the bottom.
  ///
  /// - Parameters:
  ///   - width: in characters. What does not fit side by side goes below, with the switch drawn again.
  ///   - machineLimit: how many VMs of a host are drawn; the others are counted.
  ///   - paint: gives a text its style.
  package func text(
    width: Int, machineLimit: Int = .max, paint: (String, DrawingStyle) -> String = { text, _ in text }
  ) -> [String] {
    var lines: [String] = []
    for host in hosts {
      lines += (lines.isEmpty ? [] : [""]) + [paint(host.name, .strong)]
      let shown = Array(host.machines.prefix(machineLimit))
      var drawn: Set<LabDevice> = []
      for band in bands(of: shown, width: width) {
        var part = host
        for index in part.switches.indices where drawn.contains(part.switches[index].device) {
          part.switches[index].details = ["(as above)"]
        }
        lines += TextBand(band, of: part).canvas.lines(paint: paint)
        drawn.formUnion(band.flatMap(\.ports).compactMap(\.bridge))
      }
      if host.machines.isEmpty { lines.append("no VM") }
      let rest = host.machines.count - shown.count
      if rest > 0 { lines.append("… and \(rest) more VM\(rest == 1 ? "" : "s")") }
    }
    if !notes.isEmpty { lines += [""] + notes.map { paint("✗ \($0)", .problem) } }
    return lines
  }

  /// The VMs in groups that fit side by side.
  private func bands(of machines: [Machine], width: Int) -> [[Machine]] {
    var bands: [[Machine]] = []
    var room = 0
    for machine in machines {
      let need = TextColumns.width(of: machine) + 1
      if bands.isEmpty || need > room {
        bands.append([])
        room = width
      }
      bands[bands.count - 1].append(machine)
      room -= need
    }
    return bands
  }
}

/// How wide the columns of the ports are.
enum TextColumns {
  static func width(of port: LabGraph.Port) -> Int {
    let longest = ([port.interface] + port.chain).flatMap(\.lines).map(\.count).max() ?? 0
    return longest + 6
  }

  /// A VM's box is as wide as the columns of its ports, and at least as wide as its name.
  static func width(of machine: LabGraph.Machine) -> Int {
    max(machine.ports.map(width).reduce(0, +), machine.name.count + 6)
  }
}

/// Some VMs of a host side by side, drawn on a canvas.
private struct TextBand {
  var canvas = Canvas()
  private var columns: [Column] = []

  /// A port's place: its line runs down at `x`.
  private struct Column {
    var port: LabGraph.Port
    var left: Int
    var right: Int
    var bottom = 0
    var x: Int { (left + right) / 2 }
    var isOnPath: Bool { port.interface.isOnPath && port.chain.allSatisfy(\.isOnPath) }
  }

  init(_ machines: [LabGraph.Machine], of host: LabGraph.Host) {
    let height = machines.flatMap(\.ports).map { $0.interface.lines.count }.max() ?? 0
    var left = 0
    for machine in machines {
      draw(machine, left: left, height: height)
      left += TextColumns.width(of: machine) + 1
    }
    for index in columns.indices { drawChain(of: index, from: height + 2) }
    let bottom = columns.map(\.bottom).max() ?? 0
    for index in columns.indices { drawTag(of: index, downTo: bottom) }
    drawSwitches(of: host, from: bottom + 1)
  }

  private mutating func draw(_ machine: LabGraph.Machine, left: Int, height: Int) {
    let right = left + TextColumns.width(of: machine) - 1
    canvas.box(x: left...right, y: 0...height + 1)
    let isOnPath = machine.ports.contains { $0.interface.isOnPath }
    canvas.put(" \(machine.name) ", x: left + 2, y: 0, isOnPath ? .path : .strong)
    var start = left
    for port in machine.ports {
      let isLast = columns.count { $0.left >= left } == machine.ports.count - 1
      let column = Column(
        port: port, left: start, right: isLast ? right : start + TextColumns.width(of: port) - 1)
      for (line, text) in port.interface.lines.enumerated() {
        canvas.put(text, x: start + 2, y: 1 + line, style(of: port.interface, line: line))
      }
      canvas.put("┬", x: column.x, y: height + 1)
      columns.append(column)
      start = column.right + 1
    }
  }

  private func style(of element: LabGraph.Element, line: Int) -> DrawingStyle {
    if line > element.details.count { return .problem }
    return element.isOnPath ? .path : line == 0 ? .strong : .plain
  }

  /// Devices below each other; ports of a bridge touch it, ends of a cable have a line between them.
  private mutating func drawChain(of index: Int, from top: Int) {
    let column = columns[index]
    var y = top
    line(column.x, y, column.port.interface.isOnPath)
    y += 1
    var previous: LabGraph.Element.Kind = .interface
    for element in column.port.chain {
      if previous == .cableEnd && element.kind != .bridge {
        line(column.x, y, element.isOnPath)
        y += 1
      }
      y =
        element.kind == .bridge
        ? drawBridge(element, in: column, y: y) : drawDevice(element, in: column, y: y)
      previous = element.kind
    }
    columns[index].bottom = y
  }

  private mutating func drawDevice(_ element: LabGraph.Element, in column: Column, y: Int) -> Int {
    for (offset, text) in element.lines.enumerated() {
      let marked = offset == 0 && element.isOnPath ? "● \(text)" : text
      canvas.put(
        marked, x: max(column.left, column.x - marked.count / 2), y: y + offset,
        style(of: element, line: offset))
    }
    return y + element.lines.count
  }

  private mutating func drawBridge(_ element: LabGraph.Element, in column: Column, y: Int) -> Int {
    let width = element.lines.map(\.count).max() ?? 0
    let left = max(column.left, column.x - width / 2 - 2)
    let bottom = y + element.lines.count + 1
    canvas.box(x: left...left + width + 3, y: y...bottom)
    for (offset, text) in element.lines.enumerated() {
      canvas.put(text, x: left + 2, y: y + 1 + offset, style(of: element, line: offset))
    }
    canvas.put("┴", x: column.x, y: y)
    canvas.put("┬", x: column.x, y: bottom)
    return bottom + 1
  }

  private mutating func drawTag(of index: Int, downTo bottom: Int) {
    let column = columns[index]
    guard column.port.bridge != nil else { return }
    for y in column.bottom...bottom { line(column.x, y, column.isOnPath) }
    if let tag = column.port.tag {
      canvas.put("tag \(tag)", x: column.x + 2, y: bottom, column.isOnPath ? .path : .plain)
    }
  }

  private mutating func line(_ x: Int, _ y: Int, _ isOnPath: Bool) {
    canvas.put(isOnPath ? "┃" : "│", x: x, y: y, isOnPath ? .path : .plain)
  }

  /// Each switch in the highest row in which it overlaps no other; lines to lower ones run through.
  private mutating func drawSwitches(of host: LabGraph.Host, from top: Int) {
    var levels: [[ClosedRange<Int>]] = []
    for element in host.switches {
      let ports = columns.filter { $0.port.bridge == element.device }
      guard let left = ports.map(\.left).min(), let right = ports.map(\.right).max() else { continue }
      let span = left...max(right, left + (element.lines.map(\.count).max() ?? 0) + 3)
      let level = levels.firstIndex { taken in !taken.contains { $0.overlaps(span) } } ?? levels.count
      if level == levels.count { levels.append([]) }
      levels[level].append(span)
      let height = host.switches.map(\.lines.count).max() ?? 1
      draw(element, span: span, y: top + level * (height + 2), height: height, columns: ports, from: top)
    }
  }

  private mutating func draw(
    _ element: LabGraph.Element, span: ClosedRange<Int>, y: Int, height: Int, columns ports: [Column],
    from top: Int
  ) {
    canvas.box(x: span, y: y...y + height + 1)
    for (offset, text) in element.lines.enumerated() {
      canvas.put(text, x: span.lowerBound + 2, y: y + 1 + offset, style(of: element, line: offset))
    }
    for column in ports {
      for row in top..<y { line(column.x, row, column.isOnPath) }
      canvas.put("┴", x: column.x, y: y)
    }
  }
}
