import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Blocks of a capture file in the pcapng format (draft-ietf-opsawg-pcapng), little-endian.
struct PcapNG {
  private(set) var bytes: [UInt8] = []

  /// The first block of a file.
  mutating func sectionHeader(application: String, comment: String) {
    block(0x0a0d_0d0a) { block in
      block.field(0x1a2b_3c4d as UInt32)  // tells the byte order
      block.field(1 as UInt16)  // version 1.0
      block.field(0 as UInt16)
      block.field(UInt64.max)  // the section's length is not given
      block.option(4, Array(application.utf8))
      block.option(1, Array(comment.utf8))
      block.endOfOptions()
    }
  }

  /// A device; packets refer to devices by their position.
  mutating func interface(
    name: String, description: String, mac: MACAddress?, filter: String, comment: String
  ) {
    block(1) { block in
      block.field(1 as UInt16)  // LINKTYPE_ETHERNET
      block.field(0 as UInt16)
      block.field(0 as UInt32)  // packets are whole
      block.option(2, Array(name.utf8))
      block.option(3, Array(description.utf8))
      if let mac { block.option(6, mac.bytes) }
      block.option(9, [9])  // times are in 10⁻⁹ s
      if !filter.isEmpty { block.option(11, [0] + Array(filter.utf8)) }
      block.option(1, Array(comment.utf8))
      block.endOfOptions()
    }
  }

  /// A packet with its direction.
  mutating func packet(_ packet: PassedPacket) {
    block(6) { block in
      let time = UInt64(packet.time)
      block.field(UInt32(packet.place))
      block.field(UInt32(time >> 32))
      block.field(UInt32(truncatingIfNeeded: time))
      block.field(UInt32(packet.bytes.count))
      block.field(UInt32(packet.originalLength))
      block.padded(packet.bytes)
      let direction: UInt32 = packet.isOutgoing ? 2 : 1
      block.option(2, littleEndian(direction))
      block.endOfOptions()
    }
  }

  /// At the end: how many packets a device's filter let through, and how many were lost.
  mutating func statistics(place: Int, seen: Int, lost: Int) {
    block(5) { block in
      block.field(UInt32(place))
      block.field(0 as UInt64)  // no time
      for (code, count) in [(4 as UInt16, seen), (5, lost)] {
        block.option(code, littleEndian(UInt64(count)))
      }
      block.endOfOptions()
    }
  }

  // MARK: Encoding

  private mutating func block(_ type: UInt32, _ body: (inout PcapNG) -> Void) {
    var content = PcapNG()
    body(&content)
    let length = UInt32(content.bytes.count + 12)
    field(type)
    field(length)
    bytes += content.bytes
    field(length)
  }

  private mutating func field(_ value: some FixedWidthInteger) {
    bytes += littleEndian(value)
  }

  private mutating func option(_ code: UInt16, _ value: [UInt8]) {
    field(code)
    field(UInt16(value.count))
    padded(value)
  }

  private mutating func endOfOptions() { field(0 as UInt32) }

  /// Bytes up to a multiple of four.
  private mutating func padded(_ value: [UInt8]) {
    bytes += value
    bytes += [UInt8](repeating: 0, count: -value.count & 3)
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
