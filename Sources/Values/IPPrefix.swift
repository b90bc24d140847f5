/// An address with a prefix length: a subnet (`192.168.21.0/24`), or an interface's address on one (`192.168.21.52/24`).
public struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
  public let address: IPAddress
  /// In bits: 0 to 32 for IPv4, 0 to 128 for IPv6.
  public let length: Int

  public init(address: IPAddress, length: Int) {
    precondition((0...address.family.width).contains(length), "prefix length \(length)")
    self.address = address
    self.length = length
  }

  /// Parses `ADDRESS/LENGTH`; `nil` for anything else, also for a length the family does not have.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(parts[0]), (1...3).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
      length <= address.family.width
    else { return nil }
    self.init(address: address, length: length)
  }

  public var family: IPAddress.Family { address.family }

  private var hostMask: UInt128 {
    length == 0 && family.width == 128 ? .max : (1 << UInt128(family.width - length)) - 1
  }

  /// The same prefix with all host bits zero: the subnet itself.
  public var subnet: IPPrefix {
    IPPrefix(address: IPAddress(family: family, value: address.value & ~hostMask), length: length)
  }

  /// The all-ones address of an IPv4 subnet; `nil` where there is none (IPv6, /31 and /32).
  public var broadcast: IPAddress? {
    guard family == .ipv4, length <= 30 else { return nil }
    return IPAddress(family: .ipv4, value: address.value | hostMask)
  }

  /// The subnet's own address, which no interface may have; `nil` where every address is a host's (/31, /32, /127, /128).
  public var networkAddress: IPAddress? {
    length >= family.width - 1 ? nil : subnet.address
  }

  public func contains(_ other: IPAddress) -> Bool {
    other.family == family && other.value & ~hostMask == address.value & ~hostMask
  }

  public func overlaps(_ other: IPPrefix) -> Bool {
    contains(other.subnet.address) || other.contains(subnet.address)
  }

  /// The last address of the subnet.
  package var lastAddress: IPAddress { IPAddress(family: family, value: address.value | hostMask) }

  public var description: String { "\(address)/\(length)" }
}

// Addresses travel as the text a person writes.
extension IPAddress: Codable {}
extension IPPrefix: Codable {}
extension MACAddress: Codable {}

extension Decodable where Self: CustomStringConvertible {
  fileprivate init(text decoder: any Decoder, parse: (String) -> Self?) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = parse(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a valid \(Self.self): \(text)")
    }
    self = value
  }
}

extension IPAddress {
  public init(from decoder: any Decoder) throws { try self.init(text: decoder) { IPAddress($0) } }
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
extension IPPrefix {
  public init(from decoder: any Decoder) throws { try self.init(text: decoder) { IPPrefix($0) } }
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
extension MACAddress {
  public init(from decoder: any Decoder) throws { try self.init(text: decoder) { MACAddress($0) } }
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
