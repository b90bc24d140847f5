import LabKit
import LabMachine
import LabModel

extension Tagged: RunnableCheck {
  static let tools = [CheckTool.tcpdump]
  var watched: [Check]? { stimulus }

  func run(in context: CheckContext) async throws -> String {
    let device = try context.device(at: point)
    // All that passes, so that a failure can tell what there was in place of the tagged frames.
    var capture = PacketCapture(at: device, filter: "", location: location)
    capture.passage = context.passage(of: stimulus)
    let addresses = Self.addresses(in: stimulus, context.lab)
    return try await capture.run(in: context) {
      try await context.stimulate(stimulus)
    } judge: { lines in
      let traffic = lines.map(PrintedFrame.init).filter { $0.mentions(addresses) }
      let tagged = traffic.filter { $0.vlan == vlan }
      guard !tagged.isEmpty else {
        throw Failure(
          expected: "frames of VLAN \(vlan) at \(device.text)", seen: Self.summary(of: traffic),
          details: lines.shown)
      }
      let untagged = traffic.filter { $0.vlan == nil && Set(tagged.map(\.packet)).contains($0.packet) }
      guard untagged.isEmpty else {
        throw Failure(
          expected: "frames at \(device.text) with VLAN \(vlan) only",
          seen: "\(untagged.count) of them without a tag as well", details: untagged.map(\.line).shown)
      }
      return "saw \(tagged.count) frame\(tagged.count == 1 ? "" : "s") of VLAN \(vlan)"
    }
  }

  /// The addresses that the traffic is from and to.
  private static func addresses(in stimulus: [Check], _ lab: ResolvedLab) -> Set<String> {
    var addresses: Set<String> = []
    for check in stimulus {
      for path in check.value.references.paths {
        guard let target = try? lab.address(of: path.to, from: path.from) else { continue }
        addresses.insert("\(target)")
      }
      addresses.formUnion(Self.addresses(in: check.value.references.nested, lab))
    }
    return addresses
  }

  private static func summary(of traffic: [PrintedFrame]) -> String {
    let counts = Dictionary(grouping: traffic, by: \.vlan).mapValues(\.count)
    let parts = counts.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { vlan, count in
      "\(count) \(vlan.map { "of VLAN \($0)" } ?? "without a tag")"
    }
    return parts.isEmpty ? "no frame of the traffic" : parts.joined(separator: ", ")
  }
}
