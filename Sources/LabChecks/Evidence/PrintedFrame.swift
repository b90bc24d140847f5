/// One frame as `tcpdump -e` prints it.
///
///     TIME MAC > MAC, ethertype 802.1Q (0x8100), length 102: vlan 100, p 0, ethertype IPv4 (0x0800), PACKET
///     TIME MAC > MAC, ethertype IPv4 (0x0800), length 98: PACKET
struct PrintedFrame {
  var line: String
  var vlan: Int?
  /// What the frame carries.
  var packet: String

  init(_ line: String) {
    self.line = line
    if let tag = line.firstRange(of: " vlan ") {
      vlan = Int(line[tag.upperBound...].prefix { $0.isNumber })
    }
    // It stands after the type; without a tag, the frame's length comes in between.
    let type = line.ranges(of: "ethertype ").last.flatMap { line[$0.upperBound...].firstRange(of: "), ") }
    let rest = type.map { line[$0.upperBound...] } ?? line[...]
    let length = rest.hasPrefix("length ") ? rest.firstRange(of: ": ") : nil
    packet = String(length.map { rest[$0.upperBound...] } ?? rest)
  }

  var isARP: Bool { line.contains("ethertype ARP") }

  /// Whether it carries one of the addresses; anything does when there are none.
  func mentions(_ addresses: Set<String>) -> Bool {
    addresses.isEmpty
      || addresses.contains { address in
        packet.split(whereSeparator: { " ,()".contains($0) }).contains { word in
          // 10.0.0.1, 10.0.0.1: or, with a port, 10.0.0.1.22
          word == address || word.hasPrefix(address + ":") && word.count == address.count + 1
            || word.hasPrefix(address + ".")
        }
      }
  }
}
