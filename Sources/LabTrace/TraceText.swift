import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

extension Trace {
  /// How much of a trace is written.
  package enum Form: String, CaseIterable, Sendable {
    /// Every stage, in the shape of `ovn-trace`.
    case detailed
    /// Sections and what they do.
    case summary
    /// Where the packet goes, and nothing else.
    case minimal
  }

  /// The trace as text for people.
  package func text(_ form: Form = .detailed) -> String {
    var lines: [String] = []
    for phase in phases {
      switch form {
      case .detailed: lines += detailed(phase)
      case .summary: lines += summary(phase)
      case .minimal: lines += minimal(phase)
      }
    }
    return (lines + verdict).joined(separator: "\n")
  }

  private func detailed(_ phase: Phase) -> [String] {
    var lines = ["# \(phase.packet)", ""]
    for section in phase.sections {
      let indent = String(repeating: "    ", count: section.depth)
      lines += [indent + section.title, indent + String(repeating: "-", count: section.title.count)]
      for stage in section.stages {
        let number = stage.number < 10 ? " \(stage.number)" : "\(stage.number)"
        let line = "\(indent)\(number). \(stage.name): \(stage.match)"
        lines.append(stage.sighting.map { line.padded(to: 68) + "  " + $0.text } ?? line)
        lines += stage.actions.map { indent + "    " + $0 }
      }
      lines.append("")
    }
    return lines
  }

  private func summary(_ phase: Phase) -> [String] {
    var lines = ["# \(phase.packet)"]
    for section in phase.sections {
      let indent = String(repeating: "    ", count: section.depth)
      lines.append("\(indent)\(section.title) {")
      lines += section.stages.flatMap(\.actions).filter { $0 != "next;" }.map { "\(indent)    \($0)" }
      lines.append("\(indent)};")
    }
    return lines + [""]
  }

  private func minimal(_ phase: Phase) -> [String] {
    var lines = ["# \(phase.packet)"]
    for stage in phase.sections.flatMap(\.stages) {
      if let drop = stage.drop { lines.append("drop;  /* \(drop.explanation) */") }
      if let hop = stage.hop, hop.direction == .leaves {
        let line = "output(\"\(hop.device)\"\(hop.tag.map { ", vlan \($0)" } ?? ""));"
        lines.append(stage.sighting.map { line.padded(to: 40) + "  " + $0.text } ?? line)
      }
    }
    return lines + [""]
  }

  /// The last lines: what is predicted, and whether it is true.
  package var verdict: [String] {
    var lines: [String] = []
    switch outcome {
    case .delivered(let receivers):
      lines.append("predicted: delivered to \(receivers.joined(separator: ", "))")
    case .dropped(let drop):
      lines.append("predicted: dropped: \(drop.explanation)")
      if let remedy = drop.remedy { lines.append("           `\(remedy)` would change it") }
    }
    guard let proof else { return lines }
    let time =
      proof.nanoseconds.map { ", \(Sighting.text(nanoseconds: $0).dropFirst()) from sending to the last" }
      ?? ""
    if proof.isAsPredicted {
      lines.append("observed:  as predicted (\(proof.seen) of \(proof.hops) hops\(time))")
    } else {
      lines.append(
        "observed:  not as predicted: \(proof.divergence?.explanation ?? "packets were seen where none was predicted")"
      )
      if let remedy = proof.divergence?.remedy { lines.append("           look at `\(remedy)`") }
    }
    if let refusal = proof.refusal { lines.append("           the sender was told \"\(refusal)\"") }
    if !proof.kernelReasons.isEmpty {
      lines.append("           the kernel dropped it: \(proof.kernelReasons.joined(separator: ", "))")
    }
    lines += proof.unexpected.map { "           not predicted: \($0)" }
    return lines
  }
}

extension Trace.Sighting {
  var text: String {
    guard isSeen else { return "✗ not seen" }
    return "✓ \(nanoseconds.map(Self.text) ?? "")\(tag.map { ", vlan \($0)" } ?? "")"
  }

  /// `+12.345 µs`
  static func text(nanoseconds: Int64) -> String {
    let fraction = "\(abs(nanoseconds) % 1000)"
    let sign = nanoseconds < 0 ? "-" : "+"
    return
      "\(sign)\(abs(nanoseconds) / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) µs"
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
