import CNetlink
import Glibc
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// A packet as it passed a device, with its VLAN tag in its bytes.
struct PassedPacket: Sendable {
  /// Which of the capture's places saw it.
  var place: Int
  /// In nanoseconds since 1970.
  var time: Int64
  /// Whether the device sent it (otherwise it came in by it).
  var isOutgoing: Bool
  /// In bytes; more than there are when it was cut.
  var originalLength: Int
  var bytes: [UInt8]
}

/// A socket that sees what passes a device of a namespace.
final class PacketSocket: Sendable {
  let descriptor: CInt
  private let place: Int
  private let isLoopback: Bool

  /// More than any packet has, also with segmentation left to the device, and room for a tag.
  private static let size = 1 << 18

  init(at place: CapturePlace, number: Int, filter: [cnl_packet_instruction]) throws(NetlinkError) {
    let namespace = try NetworkNamespace.open(path: OpenNamespace.path(of: place.namespace))
    descriptor = unsafe cnl_packet_open(namespace.rawDescriptor, place.index, filter, CInt(filter.count))
    self.place = number
    isLoopback = place.device.name == "lo"
    guard descriptor >= 0 else {
      throw NetlinkError(operation: "capture at \(place.device)", code: errno)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// All packets that have passed since the last call.
  func read() -> [PassedPacket] {
    var packets: [PassedPacket] = []
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.size) { buffer in
      var packet = cnl_packet()
      while unsafe cnl_packet_read(descriptor, &packet, buffer.baseAddress!, Self.size) == 1 {
        // What passes lo is seen going out and coming in.
        if isLoopback, packet.is_outgoing != 0 { continue }
        packets.append(
          PassedPacket(
            place: place, time: packet.time, isOutgoing: packet.is_outgoing != 0,
            originalLength: packet.original_length, bytes: unsafe Array(buffer[..<packet.length])))
      }
    }
    return packets
  }

  /// How many packets the filter let through, and how many of them were lost.
  func counts() -> (seen: Int, lost: Int) {
    var (seen, lost): (UInt32, UInt32) = (0, 0)
    guard unsafe cnl_packet_counts(descriptor, &seen, &lost) == 0 else { return (0, 0) }
    return (Int(seen), Int(lost))
  }
}
