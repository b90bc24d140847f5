internal import CNetlink

/// What a link does to packets that leave it, to be like a long or a bad one (`tc qdisc … netem …`).
public struct Netem: Hashable, Sendable {
  /// A share of all packets, as exactly as the kernel knows it: in parts of 2³² − 1.
  public struct Share: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter percent: 0 to 100; what is outside is taken for the nearest.
    public init(percent: Double) {
      let share = min(max(percent.isNaN ? 0 : percent, 0), 100) / 100
      rawValue = UInt32((share * Double(UInt32.max)).rounded())
    }

    public var percent: Double { Double(rawValue) / Double(UInt32.max) * 100 }

    /// `1.5%`, to three places.
    public var description: String {
      let thousandths = Int((percent * 1000).rounded())
      let fraction = String(thousandths % 1000 + 1000).dropFirst()
      let digits = fraction.reversed().drop { $0 == "0" }.reversed()
      return "\(thousandths / 1000)" + (digits.isEmpty ? "" : ".\(String(digits))") + "%"
    }
  }

  /// How long each packet waits, in nanoseconds.
  public var delay: UInt64
  /// By how much that varies in both directions, in nanoseconds.
  public var jitter: UInt64
  public var loss: Share
  public var duplicate: Share
  /// Which packets do not wait, and so overtake others; needs a delay.
  public var reorder: Share
  /// In which packets a bit is turned over.
  public var corrupt: Share
  /// In bits a second, a multiple of 8; 0: as fast as can be.
  public var rate: UInt64
  /// How many packets may wait.
  public var limit: UInt32
  /// Whether it does something that is not said here: correlations, slots, another model of loss … Only read, so that what
  /// somebody else set is not taken for the same.
  public private(set) var hasMore = false

  public init(
    delay: UInt64 = 0, jitter: UInt64 = 0, loss: Share = Share(rawValue: 0),
    duplicate: Share = Share(rawValue: 0), reorder: Share = Share(rawValue: 0),
    corrupt: Share = Share(rawValue: 0), rate: UInt64 = 0, limit: UInt32 = 1000
  ) {
    self.delay = delay
    self.jitter = jitter
    self.loss = loss
    self.duplicate = duplicate
    self.reorder = reorder
    self.corrupt = corrupt
    self.rate = rate
    self.limit = limit
  }

  /// The length of `tc_netem_qopt`.
  static let fixedLength = 24

  /// Appends `tc_netem_qopt`, and all attributes that change something: what is left out keeps its value.
  func encode(to buffer: inout MessageBuffer) {
    buffer.field(PacketScheduler.ticks(delay))
    buffer.field(limit)
    buffer.field(loss.rawValue)
    buffer.field(UInt32(reorder.rawValue == 0 ? 0 : 1))  // of so many packets in a row, the last may overtake
    buffer.field(duplicate.rawValue)
    buffer.field(PacketScheduler.ticks(jitter))
    buffer.attribute(TCA_NETEM_LATENCY64, delay)
    buffer.attribute(TCA_NETEM_JITTER64, jitter)
    buffer.nest(TCA_NETEM_CORR) { correlations in
      for _ in 0..<3 { correlations.field(UInt32(0)) }
    }
    for (type, share) in [(TCA_NETEM_REORDER, reorder), (TCA_NETEM_CORRUPT, corrupt)] {
      buffer.nest(type) { choice in
        choice.field(share.rawValue)
        choice.field(UInt32(0))  // correlation
      }
    }
    let bytes = rate / 8
    if bytes > UInt64(UInt32.max) { buffer.attribute(TCA_NETEM_RATE64, bytes) }
    buffer.nest(TCA_NETEM_RATE) { limits in
      limits.field(UInt32(clamping: bytes))
      for _ in 0..<3 { limits.field(UInt32(0)) }  // overheads and the size of cells
    }
  }

  init(decoding options: RawSpan) {
    func field(_ place: Int) -> UInt32 { options.integer(at: place * 4) ?? 0 }
    self.init(
      delay: PacketScheduler.nanoseconds(field(0)), jitter: PacketScheduler.nanoseconds(field(5)),
      loss: Share(rawValue: field(2)), duplicate: Share(rawValue: field(4)), limit: field(1))
    var wideRate: UInt64?
    options.forEachAttribute(from: Self.fixedLength) { type, value in
      switch type {
      case TCA_NETEM_LATENCY64: delay = value.integer() ?? delay
      case TCA_NETEM_JITTER64: jitter = value.integer() ?? jitter
      case TCA_NETEM_REORDER: reorder = Share(rawValue: value.integer() ?? 0)
      case TCA_NETEM_CORRUPT: corrupt = Share(rawValue: value.integer() ?? 0)
      case TCA_NETEM_RATE: rate = UInt64(value.integer(as: UInt32.self) ?? 0) * 8
      case TCA_NETEM_RATE64: wideRate = value.integer()
      case TCA_NETEM_LOSS, TCA_NETEM_SLOT: hasMore = true
      default: break
      }
      // What stands behind the first number of these, or in any place of the others.
      switch type {
      case TCA_NETEM_REORDER, TCA_NETEM_CORRUPT, TCA_NETEM_RATE: hasMore = hasMore || value.isSet(from: 4)
      case TCA_NETEM_CORR, TCA_NETEM_ECN: hasMore = hasMore || value.isSet()
      default: break
      }
    }
    if field(3) != (reorder.rawValue == 0 ? 0 : 1) { hasMore = true }
    if let wideRate { rate = wideRate.multipliedReportingOverflow(by: 8).partialValue }
  }
}
