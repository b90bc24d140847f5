internal import CNetlink

/// A rate at which packets leave a link (`tc qdisc … tbf rate … burst … limit …`).
public struct TokenBucket: Hashable, Sendable {
  /// In bits a second, a multiple of 8.
  public var rate: UInt64
  /// How many bytes may leave at once after a pause: at least one packet's. The kernel keeps it as the time that they
  /// take, in ticks of 64 ns, so that what is read back may be some bytes less at high rates; see ``isKept(as:)``.
  public var burst: UInt32
  /// How many bytes may wait; more are dropped.
  public var limit: UInt32
  /// Whether it does something that is not said here: a peak rate, overheads. Only read, so that what somebody else set is
  /// not taken for the same.
  public private(set) var hasMore = false

  public init(rate: UInt64 = 0, burst: UInt32 = 0, limit: UInt32 = 0) {
    self.rate = rate
    self.burst = burst
    self.limit = limit
  }

  /// - Parameter latency: how long a packet may wait at most, in nanoseconds.
  public init(rate: UInt64, burst: UInt32, latency: UInt64) {
    let waiting = Double(rate) / 8 * Double(latency) / 1e9
    self.init(rate: rate, burst: burst, limit: UInt32(clamping: Int64(min(waiting, 1e15)) + Int64(burst)))
  }

  /// Whether the kernel tells of this one, once it has it, what is in `other`.
  public func isKept(as other: TokenBucket) -> Bool {
    var same = self
    same.burst = other.burst
    let bytesInTick = rate / 8 / 15_625_000 + 1
    return same == other && other.burst <= burst && UInt64(burst - other.burst) <= 2 * bytesInTick
  }

  private static let parametersLength = 36
  /// Ethernet frames, as the kernel counts them; without that it wants a table of times.
  private static let linkLayer: UInt8 = 1

  func encode(to buffer: inout MessageBuffer) {
    let bytes = rate / 8
    buffer.nest(TCA_TBF_PARMS) { parameters in
      parameters.field(UInt8(0))
      parameters.field(Self.linkLayer)
      parameters.field(UInt16(0))
      parameters.field(UInt32(0))
      parameters.field(UInt32(clamping: bytes))
      for _ in 0..<3 { parameters.field(UInt32(0)) }  // no peak rate
      parameters.field(limit)
      parameters.field(PacketScheduler.ticks(duration))
      parameters.field(UInt32(0))
    }
    if bytes > UInt64(UInt32.max) { buffer.attribute(TCA_TBF_RATE64, bytes) }
    buffer.attribute(TCA_TBF_BURST, burst)
  }

  /// How long a burst takes at the rate, in nanoseconds.
  private var duration: UInt64 {
    rate < 8 ? 0 : UInt64(min(Double(burst) * 1e9 / Double(rate / 8), 1e18))
  }

  init(decoding options: RawSpan) {
    self.init()
    var buffer: UInt32 = 0
    var wideRate: UInt64?
    options.forEachAttribute { type, value in
      switch type {
      case TCA_TBF_PARMS where value.byteCount >= Self.parametersLength:
        rate = UInt64(value.integer(at: 8, as: UInt32.self) ?? 0) * 8
        let (overhead, smallest) = (
          value.integer(at: 2, as: UInt16.self), value.integer(at: 6, as: UInt16.self)
        )
        let peakRate = value.integer(at: 20, as: UInt32.self)
        hasMore = overhead != 0 || smallest != 0 || peakRate != 0
        limit = value.integer(at: 24) ?? 0
        buffer = value.integer(at: 28) ?? 0
      case TCA_TBF_RATE64: wideRate = value.integer()
      default: break
      }
    }
    if let wideRate { rate = wideRate.multipliedReportingOverflow(by: 8).partialValue }
    let bytes = Double(rate / 8) * Double(PacketScheduler.nanoseconds(buffer)) / 1e9
    // The kernel rounded down; what a Double rounds is far less.
    burst = UInt32(min(max(bytes - 1e-6, 0).rounded(.up), Double(UInt32.max)))
  }
}
