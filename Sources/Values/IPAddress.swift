/// An IPv4 or IPv6 address.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  public enum Family: String, Hashable, Sendable, Codable {
    case ipv4, ipv6

    /// The length of an address in bits.
    public var width: Int { self == .ipv4 ? 32 : 128 }
  }

  public let family: Family
  /// The address as a number, in the low `family.width` bits.
  public let value: UInt128

  public init(family: Family, value: UInt128) {
    self.family = family
    self.value = value
  }

  /// Parses `192.168.21.52` or `fd00::1` (RFC 4291, without a zone); `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let value = Self.parseIPv6(String(text)) else { return nil }
      self.init(family: .ipv6, value: value)
    } else {
      guard let value = Self.parseIPv4(String(text)) else { return nil }
      self.init(family: .ipv4, value: UInt128(value))
    }
  }

  /// Takes the 4 or 16 octets of an address in network order, as the kernel reports it; `nil` for another length.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.init(family: bytes.count == 4 ? .ipv4 : .ipv6, value: bytes.reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// The address in network order.
  public var bytes: [UInt8] {
    (0..<family.width / 8).map { UInt8(truncatingIfNeeded: value >> UInt128(family.width - 8 - 8 * $0)) }
  }

  public var isMulticast: Bool {
    family == .ipv4 ? value >> 28 == 0xe : value >> 120 == 0xff
  }

  public var isLoopback: Bool {
    family == .ipv4 ? value >> 24 == 127 : value == 1
  }

  public var isLinkLocal: Bool {
    family == .ipv4 ? value >> 16 == 0xa9fe : value >> 118 == 0xfe80 >> 6
  }

  public var description: String {
    family == .ipv4 ? bytes.map { String($0) }.joined(separator: ".") : ipv6Text
  }

  private static func parseIPv4(_ text: String) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      // A leading zero means octal to some tools and decimal to others, so it is refused.
      guard part.utf8.count <= 3, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let octet = UInt8(part),
        part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0")
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func parseIPv6(_ text: String) -> UInt128? {
    // The two sides of "::" are parsed alone; the gap between them is zeros.
    var sides: [Substring] = [text[...]]
    if let gap = text.firstDoubleColon {
      sides = [text[..<gap.lowerBound], text[gap.upperBound...]]
      guard text[gap.upperBound...].first != ":", sides[1].firstDoubleColon == nil else { return nil }
    }
    var groups: [[UInt16]] = []
    for (index, side) in sides.enumerated() {
      var parsed: [UInt16] = []
      let parts = side.isEmpty ? [] : side.split(separator: ":", omittingEmptySubsequences: false)
      for (position, part) in parts.enumerated() {
        let isLast = index == sides.count - 1 && position == parts.count - 1
        if isLast, part.utf8.contains(UInt8(ascii: ".")), let tail = parseIPv4(String(part)) {
          parsed += [UInt16(tail >> 16), UInt16(tail & 0xffff)]
          continue
        }
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        parsed.append(group)
      }
      groups.append(parsed)
    }
    let given = groups.joined().count
    guard sides.count == 2 ? given <= 7 : given == 8 else { return nil }
    let zeros = [UInt16](repeating: 0, count: 8 - given)
    let all = sides.count == 2 ? groups[0] + zeros + groups[1] : groups[0]
    return all.reduce(0) { $0 << 16 | UInt128($1) }
  }

  /// The canonical text of RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`,
  /// and IPv4-mapped addresses with their IPv4 part in decimal.
  private var ipv6Text: String {
    if value >> 32 == 0xffff { return "::ffff:\(IPAddress(family: .ipv4, value: value & 0xffff_ffff))" }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
    var longest = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start >= 2, end - start > longest.count { longest = start..<end }
      start = max(end, start + 1)
    }
    let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    return longest.isEmpty
      ? text(groups[...]) : "\(text(groups[..<longest.lowerBound]))::\(text(groups[longest.upperBound...]))"
  }
}

extension UInt8 {
  /// True for the ASCII digits and the letters a to f of either case; `Int.init(_:radix:)` takes signs as well.
  var isHexDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}

extension StringProtocol {
  fileprivate var firstDoubleColon: Range<Index>? {
    guard let first = indices.first(where: { self[$0] == ":" && self[index(after: $0)...].first == ":" })
    else { return nil }
    return first..<index(first, offsetBy: 2)
  }
}
