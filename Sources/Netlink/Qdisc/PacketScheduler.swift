/// The time of the packet scheduler: ticks of 64 ns.
enum PacketScheduler {
  private static let tick: UInt64 = 64

  static func ticks(_ nanoseconds: UInt64) -> UInt32 { UInt32(clamping: nanoseconds / tick) }
  static func nanoseconds(_ ticks: UInt32) -> UInt64 { UInt64(ticks) * tick }
}

extension RawSpan {
  /// Whether there is anything but zeros from an offset on.
  func isSet(from offset: Int = 0) -> Bool { array.dropFirst(offset).contains { $0 != 0 } }
}
