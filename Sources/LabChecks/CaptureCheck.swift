import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

extension CheckRunner {
  func perform(_ check: Capture, _ stimulus: () async throws -> Failure?) async throws -> String {
    let device = try device(at: check.point)
    var capture = PacketCapture(at: device, filter: check.filter, location: check.location)
    capture.passage = passage(of: check.stimulus)
    return try await self.capture(capture, while: stimulus) { packets in
      let seen = packets.isEmpty ? "nothing" : "\(packets.count) packet\(packets.count == 1 ? "" : "s")"
      guard check.sighting.admits(packets.count) else {
        throw Failure(
          expected: "\(check.sighting) at \(device.text)"
            + (check.filter.isEmpty ? "" : " with the filter '\(check.filter)'"),
          seen: seen, details: packets.shown)
      }
      return "saw \(seen)"
    }
  }
}
