/// How many bits pass in a second: `.megabits(10)`.
public struct BitRate: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
  package var bitsPerSecond: Int

  package init(bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

  public static func bits(_ count: Int) -> BitRate { BitRate(bitsPerSecond: count) }
  public static func kilobits(_ count: Double) -> BitRate { BitRate(count, 1000) }
  public static func megabits(_ count: Double) -> BitRate { BitRate(count, 1_000_000) }
  public static func gigabits(_ count: Double) -> BitRate { BitRate(count, 1_000_000_000) }

  /// Bounded so that any number fits.
  private init(_ count: Double, _ unit: Double) {
    let bits = (count * unit).rounded()
    bitsPerSecond = bits.isFinite ? Int(min(max(bits, -1e18), 1e18)) : -1
  }

  public static func < (first: BitRate, second: BitRate) -> Bool {
    first.bitsPerSecond < second.bitsPerSecond
  }

  /// `10 Mbit/s`, to two places.
  public var description: String {
    let (unit, word) =
      switch bitsPerSecond.magnitude {
      case 1_000_000_000...: (1_000_000_000, "Gbit/s")
      case 1_000_000...: (1_000_000, "Mbit/s")
      case 1000...: (1000, "kbit/s")
      default: (1, "bit/s")
      }
    let hundredths = Int((Double(bitsPerSecond) / Double(unit) * 100).rounded())
    let digits = String(hundredths.magnitude % 100 + 100).dropFirst()
    let fraction = digits.last == "0" ? digits.dropLast() : digits
    let sign = hundredths < 0 ? "-" : ""
    return "\(sign)\(hundredths.magnitude / 100)\(fraction == "0" ? "" : ".\(fraction)") \(word)"
  }

  /// In JSON a number of bits a second.
  public init(from decoder: any Decoder) throws {
    bitsPerSecond = try decoder.singleValueContainer().decode(Int.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bitsPerSecond)
  }
}
