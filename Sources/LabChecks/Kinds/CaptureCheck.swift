import LabKit
import LabMachine

extension Capture: RunnableCheck {
  static let tools = [CheckTool.tcpdump]
  var watched: [Check]? { stimulus }

  func run(in context: CheckContext) async throws -> String {
    let device = try context.device(at: point)
    var capture = PacketCapture(at: device, filter: filter, location: location)
    capture.passage = context.passage(of: stimulus)
    return try await capture.run(in: context) {
      try await context.stimulate(stimulus)
    } judge: { packets in
      let seen = packets.isEmpty ? "nothing" : "\(packets.count) packet\(packets.count == 1 ? "" : "s")"
      guard sighting.admits(packets.count) else {
        throw Failure(
          expected: "\(sighting) at \(device.text)"
            + (filter.isEmpty ? "" : " with the filter '\(filter)'"),
          seen: seen, details: packets.shown)
      }
      return "saw \(seen)"
    }
  }
}
