internal import CNetlink

/// Netlink messages under construction: one buffer that grows, in which lengths are filled in backwards.
struct MessageBuffer: Sendable {
  private(set) var bytes: [UInt8] = []

  /// The length and the place of fields in `nlmsghdr`.
  static let headerLength = 16
  static let flagsOffset = 6
  static let sequenceOffset = 8

  /// No attribute of ours is longer. Anything longer could only be a name that the kernel refuses, and it refuses what is
  /// left of it just so.
  private static let maximumPayload = 4096

  /// Appends a message, whose contents are appended by `body`.
  mutating func message(_ type: Int, flags: CInt, _ body: (inout MessageBuffer) -> Void) {
    let start = bytes.count
    field(UInt32(0))
    field(UInt16(truncatingIfNeeded: type))
    field(UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST))
    field(UInt64(0))  // sequence number, and the sender: the kernel knows it
    body(&self)
    overwrite(UInt32(bytes.count - start), at: start)
  }

  /// Appends a field of a fixed header, without padding.
  mutating func field<T: FixedWidthInteger>(_ value: T) {
    unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends bytes as they are.
  mutating func raw(_ value: [UInt8]) { bytes += value }

  mutating func attribute<T: FixedWidthInteger>(_ type: Int, _ value: T) {
    attributeHeader(type, length: MemoryLayout<T>.size)
    field(value)
    pad()
  }

  mutating func attribute(_ type: Int, _ flag: Bool) { attribute(type, UInt8(flag ? 1 : 0)) }

  /// Appends a string with its terminating NUL.
  mutating func attribute(_ type: Int, _ value: String) {
    let value = value.utf8.prefix(Self.maximumPayload)
    attributeHeader(type, length: value.count + 1)
    bytes.append(contentsOf: value)
    bytes.append(0)
    pad()
  }

  /// Appends a value where there is one.
  mutating func attribute<T: FixedWidthInteger>(_ type: Int, _ value: T?) {
    if let value { attribute(type, value) }
  }

  mutating func attribute(_ type: Int, _ flag: Bool?) {
    if let flag { attribute(type, flag) }
  }

  mutating func attribute(_ type: Int, _ value: String?) {
    if let value { attribute(type, value) }
  }

  /// Appends an attribute made of what `body` appends.
  mutating func nest(_ type: Int, flagged: Bool = false, _ body: (inout MessageBuffer) -> Void) {
    let start = bytes.count
    attributeHeader(flagged ? type | Int(NLA_F_NESTED) : type, length: 0)
    body(&self)
    overwrite(UInt16(bytes.count - start), at: start)
  }

  /// Asks for the acknowledgement of the message at an offset.
  mutating func requestAcknowledgement(at offset: Int) {
    bytes[offset + Self.flagsOffset] |= UInt8(NLM_F_ACK)
  }

  mutating func setSequence(_ sequence: UInt32, at offset: Int) {
    overwrite(sequence, at: offset + Self.sequenceOffset)
  }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  mutating func attributeHeader(_ type: Int, length: Int) {
    field(UInt16(4 + length))
    field(UInt16(truncatingIfNeeded: type))
  }

  mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  private mutating func overwrite<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for byte in 0..<MemoryLayout<T>.size {
      bytes[offset + byte] = UInt8(truncatingIfNeeded: value.littleEndian >> (8 * byte))
    }
  }
}
