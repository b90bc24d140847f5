import LabInspect
import LabKit
import LabMachine
import LabModel
import LabTrace
import Values

extension LabGraph {
  /// The graph for Mermaid, which draws it in Markdown on GitHub and elsewhere.
  package var mermaid: String {
    var lines = ["flowchart TD"]
    var styles: [String] = []
    func node(_ element: Element, indent: String) {
      let label = element.lines.map(\.mermaidSafe).joined(separator: "<br>")
      lines.append("\(indent)\(identifiers[element.device] ?? "")[\"\(label)\"]")
      if !element.problems.isEmpty { styles.append("class \(identifiers[element.device] ?? "") problem") }
      if element.isOnPath { styles.append("class \(identifiers[element.device] ?? "") path") }
    }
    for (number, host) in hosts.enumerated() {
      lines.append("  subgraph h\(number)[\"\(host.name.mermaidSafe)\"]")
      for (position, machine) in host.machines.enumerated() {
        lines.append("    subgraph h\(number)v\(position)[\"\(machine.name.mermaidSafe)\"]")
        for port in machine.ports { node(port.interface, indent: "      ") }
        lines.append("    end")
      }
      for element in host.devices { node(element, indent: "    ") }
      lines.append("  end")
    }
    for edge in edges {
      let label = edge.label.map { "|\"\($0.mermaidSafe)\"|" } ?? ""
      lines.append("  \(identifiers[edge.from] ?? "") ---\(label) \(identifiers[edge.to] ?? "")")
    }
    lines += [
      "  classDef problem stroke:#cf222e,stroke-width:3px", "  classDef path stroke:#1a7f37,stroke-width:3px",
    ]
    return (lines + styles.map { "  \($0)" }).joined(separator: "\n")
  }

  /// The graph for Graphviz.
  package var dot: String {
    var lines = [
      "graph \(lab.dotQuoted) {", "  rankdir=TB; compound=true;",
      "  node [shape=box, style=rounded, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\"];",
    ]
    func node(_ element: Element, indent: String) {
      var attributes = "label=\(element.lines.joined(separator: "\n").dotQuoted)"
      if element.isOnPath { attributes += ", color=\"#1a7f37\", penwidth=2" }
      if !element.problems.isEmpty { attributes += ", color=\"#cf222e\", fontcolor=\"#cf222e\"" }
      lines.append("\(indent)\(identifiers[element.device] ?? "") [\(attributes)];")
    }
    for (number, host) in hosts.enumerated() {
      lines.append("  subgraph cluster_h\(number) { label=\(host.name.dotQuoted);")
      for (position, machine) in host.machines.enumerated() {
        lines.append("    subgraph cluster_h\(number)v\(position) { label=\(machine.name.dotQuoted);")
        for port in machine.ports { node(port.interface, indent: "      ") }
        lines.append("    }")
      }
      for element in host.devices { node(element, indent: "    ") }
      lines.append("  }")
    }
    for edge in edges {
      var attributes: [String] = edge.label.map { ["label=\($0.dotQuoted)"] } ?? []
      if edge.isOnPath { attributes.append("color=\"#1a7f37\", penwidth=2") }
      let suffix = attributes.isEmpty ? "" : " [\(attributes.joined(separator: ", "))]"
      lines.append("  \(identifiers[edge.from] ?? "") -- \(identifiers[edge.to] ?? "")\(suffix);")
    }
    return (lines + ["}"]).joined(separator: "\n")
  }

  /// What a device is called in the source of a drawing.
  private var identifiers: [LabDevice: String] {
    let devices = hosts.flatMap { $0.machines.flatMap(\.ports).map(\.interface) + $0.devices }.map(\.device)
    return Dictionary(uniqueKeysWithValues: devices.enumerated().map { ($1, "d\($0)") })
  }

  private struct Edge {
    var from: LabDevice
    var to: LabDevice
    var label: String?
    var isOnPath: Bool
  }

  private var edges: [Edge] {
    var edges: [Edge] = []
    var seen: Set<[LabDevice]> = []
    for host in hosts {
      for port in host.machines.flatMap(\.ports) {
        let elements = [port.interface] + port.chain
        for (from, to) in zip(elements, elements.dropFirst())
        where seen.insert([from.device, to.device]).inserted {
          edges.append(Edge(from: from.device, to: to.device, isOnPath: from.isOnPath && to.isOnPath))
        }
        guard let bridge = host.switches.first(where: { $0.device == port.bridge }), let last = elements.last
        else {
          continue
        }
        edges.append(
          Edge(
            from: last.device, to: bridge.device, label: port.tag.map { "tag \($0)" },
            isOnPath: last.isOnPath && bridge.isOnPath))
      }
    }
    return edges
  }
}

extension LabGraph.Host {
  /// The devices outside of VMs, each once.
  fileprivate var devices: [LabGraph.Element] {
    var seen: Set<LabDevice> = []
    return (machines.flatMap(\.ports).flatMap(\.chain) + switches).filter { seen.insert($0.device).inserted }
  }
}

extension String {
  /// Mermaid reads quotation marks and some other characters only as entities.
  fileprivate var mermaidSafe: String {
    var safe = ""
    for scalar in unicodeScalars {
      if scalar.value >= 0x80 || " ./:-_,()+".unicodeScalars.contains(scalar)
        || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
      {
        safe.unicodeScalars.append(scalar)
      } else {
        safe += "#\(scalar.value);"
      }
    }
    return safe
  }

  fileprivate var dotQuoted: String {
    let escaped = map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : "\($0)" }
    return "\"\(escaped.joined())\""
  }
}
