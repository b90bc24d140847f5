internal import Glibc

/// An address as people write it: an IP address, or bytes with colons between.
func text(_ address: [UInt8]) -> String {
  let family = addressFamily(of: address)
  guard family != AF_UNSPEC else { return address.map { hex($0) }.joined(separator: ":") }
  var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
  unsafe inet_ntop(family, address, &text, socklen_t(text.count))
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
