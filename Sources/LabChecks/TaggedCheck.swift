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
  func perform(_ check: Tagged, _ stimulus: () async throws -> Failure?) async throws -> String {
    let device = try device(at: check.point)
    // All that passes, so that a failure can tell what there was in place of the tagged frames.
    var capture = PacketCapture(at: device, filter: "", location: check.location)
    capture.passage = passage(of: check.stimulus)
    let addresses = addresses(in: check.stimulus)
    return try await self.capture(capture, while: stimulus) { lines in
      let traffic = lines.map(PrintedFrame.init).filter { $0.mentions(addresses) }
      let tagged = traffic.filter { $0.vlan == check.vlan }
      guard !tagged.isEmpty else {
        throw Failure(
          expected: "frames of VLAN \(check.vlan) at \(device.text)", seen: Self.summary(of: traffic),
          details: lines.shown)
      }
      let untagged = traffic.filter { $0.vlan == nil && Set(tagged.map(\.packet)).contains($0.packet) }
      guard untagged.isEmpty else {
        throw Failure(
          expected: "frames at \(device.text) with VLAN \(check.vlan) only",
          seen: "\(untagged.count) of them without a tag as well", details: untagged.map(\.line).shown)
      }
      return "saw \(tagged.count) frame\(tagged.count == 1 ? "" : "s") of VLAN \(check.vlan)"
    }
  }

  /// The addresses that the traffic is from and to.
  private func addresses(in stimulus: [Check]) -> Set<String> {
    var addresses: Set<String> = []
    for check in stimulus {
      for path in check.value.references.paths {
        guard let target = try? lab.address(of: path.to, from: path.from) else { continue }
        addresses.insert("\(target)")
      }
      addresses.formUnion(self.addresses(in: check.value.references.nested))
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

/// One frame as `tcpdump -e` prints it.
///
///     TIME MAC > MAC, ethertype 802.1Q (0x8100), length 102: vlan 100, p 0, ethertype IPv4 (0x0800), PACKET
///     TIME MAC > MAC, ethertype IPv4 (0x0800), length 98: PACKET
struct PrintedFrame {
  var line: String
  var vlan: Int?
  /// What the frame carries.
  var packet: String

  init(_ line: String) {
    self.line = line
    if let tag = line.firstRange(of: " vlan ") {
      vlan = Int(line[tag.upperBound...].prefix { $0.isNumber })
    }
    // It stands after the type; without a tag, the frame's length comes in between.
    let type = line.ranges(of: "ethertype ").last.flatMap { line[$0.upperBound...].firstRange(of: "), ") }
    let rest = type.map { line[$0.upperBound...] } ?? line[...]
    let length = rest.hasPrefix("length ") ? rest.firstRange(of: ": ") : nil
    packet = String(length.map { rest[$0.upperBound...] } ?? rest)
  }

  /// Whether it carries one of the addresses; anything does when there are none.
  func mentions(_ addresses: Set<String>) -> Bool {
    addresses.isEmpty
      || addresses.contains { address in
        packet.split(whereSeparator: { " ,()".contains($0) }).contains { word in
          // 10.0.0.1, 10.0.0.1: or, with a port, 10.0.0.1.22
          word == address || word.hasPrefix(address + ":") && word.count == address.count + 1
            || word.hasPrefix(address + ".")
        }
      }
  }
}
