import LabKit
import Values

/// A 64-bit hash that is the same in every run and on every machine (FNV-1a with a final mix), unlike `Hasher`'s.
package struct StableHash {
  private var state: UInt64

  init(seed: UInt64 = 0) {
    state = 0xcbf2_9ce4_8422_2325 ^ (seed &* 0x9e37_79b9_7f4a_7c15)
  }

  mutating func combine(_ text: String) {
    for byte in text.utf8 {
      state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    state = (state ^ 0xff) &* 0x100_0000_01b3  // so that ("ab", "c") and ("a", "bc") differ
  }

  var value: UInt64 {
    var mixed = state
    mixed = (mixed ^ (mixed >> 33)) &* 0xff51_afd7_ed55_8ccd
    mixed = (mixed ^ (mixed >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return mixed ^ (mixed >> 33)
  }

  package static func hash(_ parts: String..., seed: UInt64 = 0) -> UInt64 {
    var hash = StableHash(seed: seed)
    for part in parts { hash.combine(part) }
    return hash.value
  }
}

/// UUIDs as Neutron writes them: 36 characters, lower case.
enum ObjectID {
  /// A UUID (version 8, RFC 9562) that depends on the names alone, so that device names are the same in each run.
  static func derived(from kind: String, _ lab: String, _ name: String, attempt: UInt64 = 0) -> String {
    let high = StableHash.hash(kind, lab, name, seed: 2 * attempt)
    let low = StableHash.hash(kind, lab, name, seed: 2 * attempt + 1)
    let version: UInt64 = high & ~0xf000 | 0x8000
    let variant: UInt64 = low & ~(0x3 << 62) | (0x2 << 62)
    let digits = Array([version, variant].map { hexadecimal($0) }.joined())
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The UUID in lower case; `nil` if the text is none.
  static func parse(_ text: String) -> String? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
      parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isHexDigit } })
    else { return nil }
    return text.lowercased()
  }
}
