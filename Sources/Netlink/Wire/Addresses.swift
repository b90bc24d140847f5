internal import Glibc
internal import Values

// Addresses on the wire: in network order, without copies in between.

extension IPAddress.Family {
  /// AF_INET or AF_INET6.
  var number: UInt8 { UInt8(self == .ipv4 ? AF_INET : AF_INET6) }

  /// nil for a family that has no IP addresses.
  init?(number: UInt8?) {
    switch number.map(CInt.init) {
    case AF_INET: self = .ipv4
    case AF_INET6: self = .ipv6
    default: return nil
    }
  }
}

extension IPPrefix {
  /// nil if the address is missing, or has fewer bits than the length says.
  init?(_ address: IPAddress?, length: UInt8) {
    guard let address, Int(length) <= address.family.width else { return nil }
    self.init(address: address, length: Int(length))
  }
}

extension RawSpan {
  /// The address that these bytes are; nil if there are neither 4 nor 16.
  var ipAddress: IPAddress? {
    switch byteCount {
    case 4: bigEndian(as: UInt32.self).map { IPAddress(family: .ipv4, value: UInt128($0)) }
    case 16: bigEndian(as: UInt128.self).map { IPAddress(family: .ipv6, value: $0) }
    default: nil
    }
  }

  /// The link-layer address that these bytes are; nil if there are not six.
  var macAddress: MACAddress? {
    guard byteCount == 6, let high = bigEndian(as: UInt32.self), let low = integer(at: 4, as: UInt16.self)
    else { return nil }
    return MACAddress(value: UInt64(high) << 16 | UInt64(UInt16(bigEndian: low)))
  }
}

extension MessageBuffer {
  mutating func attribute(_ type: Int, _ address: IPAddress?) {
    switch address?.family {
    case .ipv4?: attribute(type, UInt32(truncatingIfNeeded: address?.value ?? 0).bigEndian)
    case .ipv6?: attribute(type, address?.value.bigEndian)
    case nil: break
    }
  }

  /// Appends the six octets.
  mutating func attribute(_ type: Int, _ address: MACAddress?) {
    guard let address else { return }
    attributeHeader(type, length: 6)
    field(UInt32(truncatingIfNeeded: address.value >> 16).bigEndian)
    field(UInt16(truncatingIfNeeded: address.value).bigEndian)
    pad()
  }
}
