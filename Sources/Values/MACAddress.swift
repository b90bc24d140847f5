/// An Ethernet address, written `fa:16:3e:50:1a:a3`.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
  /// The six octets in the low 48 bits, the first one on the wire highest.
  public let value: UInt64

  public init(value: UInt64) {
    self.value = value & 0xffff_ffff_ffff
  }

  /// Parses six pairs of hexadecimal digits, all separated by `:` or all by `-`; `nil` for anything else.
  public init?(_ text: some StringProtocol) {
    let octets = text.split(separator: text.contains(":") ? ":" : "-", omittingEmptySubsequences: false)
    guard octets.count == 6 else { return nil }
    var value: UInt64 = 0
    for octet in octets {
      guard octet.utf8.count == 2, octet.utf8.allSatisfy(\.isHexDigit), let byte = UInt8(octet, radix: 16)
      else { return nil }
      value = value << 8 | UInt64(byte)
    }
    self.value = value
  }

  /// Takes the six octets of a link-layer address as the kernel reports it; `nil` if there are not six.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 6 else { return nil }
    self.value = bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * $0)) } }

  /// True for group addresses (the lowest bit of the first octet), which no interface can own.
  public var isMulticast: Bool { value >> 40 & 1 == 1 }

  public var isZero: Bool { value == 0 }

  /// The same address with `fe` as first octet: what libvirt gives the host's end of a VM's tap device, so that
  /// a bridge never picks it as its own (it is higher than any guest's).
  public var hostSide: MACAddress { MACAddress(value: value & 0x00ff_ffff_ffff | 0xfe << 40) }

  public var description: String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined(separator: ":")
  }
}
