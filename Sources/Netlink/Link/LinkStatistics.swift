/// Counters of a link (`ip -s link show`).
public struct LinkStatistics: Hashable, Sendable {
  public var receivedPackets: UInt64
  public var transmittedPackets: UInt64
  public var receivedBytes: UInt64
  public var transmittedBytes: UInt64
  public var receiveErrors: UInt64
  public var transmitErrors: UInt64
  public var receiveDropped: UInt64
  public var transmitDropped: UInt64

  /// Reads the beginning of `rtnl_link_stats64`.
  init(decoding counters: RawSpan) {
    func counter(_ place: Int) -> UInt64 { counters.integer(at: place * 8) ?? 0 }
    receivedPackets = counter(0)
    transmittedPackets = counter(1)
    receivedBytes = counter(2)
    transmittedBytes = counter(3)
    receiveErrors = counter(4)
    transmitErrors = counter(5)
    receiveDropped = counter(6)
    transmitDropped = counter(7)
  }
}
