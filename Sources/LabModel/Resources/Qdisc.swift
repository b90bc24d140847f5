import LabKit

/// The queueing discipline of a device: `tc qdisc replace dev DEVICE root …`. It works on what leaves by the device.
package struct Qdisc: Hashable, Sendable {
  package var namespace: String
  package var device: String
  package var discipline: Discipline
  package var origin: SourceLocation?

  package init(namespace: String, device: String, discipline: Discipline, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.device = device
    self.discipline = discipline
    self.origin = origin
  }

  package enum Discipline: Hashable, Sendable {
    case netem(Netem)
    case tbf(TokenBucket)

    package var word: String {
      switch self {
      case .netem: "netem"
      case .tbf: "tbf"
      }
    }

    /// Attributes with their values, in `tc`'s words and order.
    fileprivate var attributes: [(name: String, value: String)] {
      switch self {
      case .netem(let netem): netem.attributes
      case .tbf(let bucket): bucket.attributes
      }
    }

    /// `netem limit 1000 delay 10ms`
    package var words: String {
      ([word] + attributes.filter { !$0.value.isEmpty }.map { "\($0.name) \($0.value)" }).joined(
        separator: " ")
    }
  }

  /// Delays and damages packets.
  package struct Netem: Hashable, Sendable {
    /// In nanoseconds.
    package var delay = 0
    package var jitter = 0
    package var loss = Share()
    package var duplicate = Share()
    package var reorder = Share()
    package var corrupt = Share()
    /// In bits a second, a multiple of 8; 0: as fast as can be.
    package var rate = 0
    /// In packets.
    package var limit = 1000

    package init() {}

    fileprivate var attributes: [(name: String, value: String)] {
      let delay = jitter == 0 ? timeText(delay) : "\(timeText(delay)) \(timeText(jitter))"
      return [
        ("limit", "\(limit)"), ("delay", self.delay == 0 && jitter == 0 ? "" : delay), ("loss", loss.text),
        ("duplicate", duplicate.text), ("reorder", reorder.text), ("corrupt", corrupt.text),
        ("rate", rate == 0 ? "" : rateText(rate)),
      ]
    }
  }

  /// A share of all packets, as exactly as the kernel knows it: in parts of 2³² − 1.
  package struct Share: Hashable, Sendable {
    package var rawValue: UInt32 = 0

    package init(rawValue: UInt32 = 0) { self.rawValue = rawValue }
    init(percent: Double) {
      rawValue = UInt32((min(max(percent, 0), 100) / 100 * Double(UInt32.max)).rounded())
    }

    /// `1.5%`, to four places; empty for nothing.
    fileprivate var text: String {
      if rawValue == 0 { return "" }
      let parts = Int((Double(rawValue) / Double(UInt32.max) * 1_000_000).rounded())
      let digits = String(parts % 10_000 + 10_000).dropFirst().reversed().drop { $0 == "0" }.reversed()
      return "\(parts / 10_000)\(digits.isEmpty ? "" : "." + String(digits))%"
    }
  }

  /// Holds back what is faster than a rate.
  package struct TokenBucket: Hashable, Sendable {
    /// In bits a second, a multiple of 8.
    package var rate: Int
    /// How many bytes may leave at once after a pause.
    package var burst: Int
    /// How many bytes may wait.
    package var limit: Int

    package init(rate: Int, burst: Int, limit: Int) {
      self.rate = rate
      self.burst = burst
      self.limit = limit
    }

    fileprivate var attributes: [(name: String, value: String)] {
      [("rate", rateText(rate)), ("burst", "\(burst)"), ("limit", "\(limit)")]
    }

    /// Whether the kernel, having this one, tells of the other: it keeps a burst as a time, in ticks of 64 ns.
    fileprivate func isKept(as other: TokenBucket) -> Bool {
      var same = self
      same.burst = other.burst
      return same == other && (0...2 * (rate / 8 / 15_625_000 + 1)).contains(burst - other.burst)
    }
  }
}

extension Qdisc: SimpleResource {
  package var identity: OwnedKey<String> {
    OwnedKey(namespace: namespace, device: device, value: "root")
  }
  package var owner: String? { device }
  package var description: String { "qdisc \(discipline.word) of \(device)" }
  package var label: String { discipline.words }
  package var wish: String { "\(discipline.words) on \(device)" }
  package var features: [KernelFeature] {
    switch discipline {
    case .netem: [.netem]
    case .tbf: [.tbf]
    }
  }

  package static let added = Stage(after: Link.bridgesUp)

  package func differences(from observed: Qdisc) -> [AttributeDifference] {
    switch (discipline, observed.discipline) {
    case (.tbf(let wanted), .tbf(let found)) where wanted.isKept(as: found): return []
    case (.netem, .netem), (.tbf, .tbf): break
    default:
      return [
        AttributeDifference(
          attribute: "kind", wanted: discipline.words, observed: observed.discipline.words)
      ]
    }
    return zip(discipline.attributes, observed.discipline.attributes).filter { $0.value != $1.value }.map {
      AttributeDifference(
        attribute: $0.name, wanted: $0.value.isEmpty ? "none" : $0.value,
        observed: $1.value.isEmpty ? "none" : $1.value)
    }
  }

  package static var isChangedByAdding: Bool { true }

  package func command(_ verb: String) -> String {
    let device = "dev \(device.shellQuoted) root"
    return verb == "add"
      ? "tc -n \(namespace) qdisc replace \(device) \(discipline.words)"
      : "tc -n \(namespace) qdisc delete \(device)"
  }
}

extension Qdisc.Discipline {
  /// What an impairment is in the kernel, at a device with an MTU in bytes; `nil` if it does nothing.
  package init?(_ impairment: Impairment, mtu: Int) {
    let rate = (impairment.rate?.bitsPerSecond ?? 0) / 8 * 8
    var netem = Qdisc.Netem()
    netem.delay = impairment.delay ?? 0
    netem.jitter = impairment.jitter ?? 0
    netem.loss = Qdisc.Share(percent: impairment.loss ?? 0)
    netem.duplicate = Qdisc.Share(percent: impairment.duplicate ?? 0)
    netem.reorder = Qdisc.Share(percent: impairment.reorder ?? 0)
    netem.corrupt = Qdisc.Share(percent: impairment.corrupt ?? 0)
    if netem == Qdisc.Netem() {
      guard rate > 0 else { return nil }
      // A frame with its header and a VLAN tag has to fit; beyond that, five milliseconds of the rate.
      let frame = mtu + 18
      let burst = max(2 * frame, rate / 8 / 200)
      let waiting = impairment.limit.map { $0 * frame } ?? max(10 * frame, rate / 8 / 10)
      self = .tbf(
        Qdisc.TokenBucket(rate: rate, burst: burst, limit: min(burst + waiting, Int(UInt32.max))))
    } else {
      netem.rate = rate
      netem.limit = impairment.limit ?? netem.limit
      self = .netem(netem)
    }
  }
}

/// As `tc` takes it: `10ms`, `1500us`.
private func timeText(_ nanoseconds: Int) -> String {
  if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
  return nanoseconds % 1000 == 0 ? "\(nanoseconds / 1000)us" : "\(nanoseconds)ns"
}

/// As `tc` takes it: `10mbit`.
private func rateText(_ bits: Int) -> String {
  for (unit, word) in [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1000, "kbit")]
  where bits % unit == 0 && bits > 0 {
    return "\(bits / unit)\(word)"
  }
  return "\(bits)bit"
}

extension Blueprint {
  package var qdiscs: [Qdisc] {
    get { self[Qdisc.self] }
    _modify { yield &self[Qdisc.self] }
  }
}
