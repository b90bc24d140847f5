internal import CNetlink

// Reading what the kernel (or anything else) sent. Nothing here trusts a length: what does not fit is
// not there.
extension RawSpan {
  /// The integer at an offset, in the byte order of this machine; nil if it does not fit.
  func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int = 0, as: T.Type = T.self) -> T? {
    guard offset >= 0, byteCount >= MemoryLayout<T>.size, offset <= byteCount - MemoryLayout<T>.size else {
      return nil
    }
    return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
  }

  /// The integer in network byte order.
  func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(as: T.Type = T.self) -> T? {
    integer(as: T.self).map { T(bigEndian: $0) }
  }

  var flag: Bool? { integer(as: UInt8.self).map { $0 != 0 } }

  var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }

  /// The string up to the first NUL, or to the end; what is not UTF-8 becomes U+FFFD.
  var string: String {
    unsafe withUnsafeBytes { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Calls `body` with type and payload of each attribute from an offset on, up to the end or to the first
  /// that cannot be one.
  func forEachAttribute(from start: Int = 0, _ body: (_ type: Int, _ payload: RawSpan) -> Void) {
    var offset = start
    while let length = integer(at: offset, as: UInt16.self),
      let type = integer(at: offset + 2, as: UInt16.self),
      length >= 4, offset + Int(length) <= byteCount
    {
      body(Int(type) & 0x3fff, extracting(offset + 4..<offset + Int(length)))  // NLA_TYPE_MASK
      offset += (Int(length) + 3) & ~3
    }
  }
}

/// `nlmsghdr`.
struct MessageHeader {
  var length: Int
  var type: Int
  var flags: CInt
  var sequence: UInt32

  /// The header at an offset, if all of its message is there.
  init?(_ bytes: RawSpan, at offset: Int) {
    guard let length = bytes.integer(at: offset, as: UInt32.self),
      let type = bytes.integer(at: offset + 4, as: UInt16.self),
      let flags = bytes.integer(at: offset + MessageBuffer.flagsOffset, as: UInt16.self),
      let sequence = bytes.integer(at: offset + MessageBuffer.sequenceOffset, as: UInt32.self),
      length >= MessageBuffer.headerLength, Int(length) <= bytes.byteCount - offset
    else { return nil }
    (self.length, self.type) = (Int(length), Int(type))
    (self.flags, self.sequence) = (CInt(flags), sequence)
  }
}

/// Calls `body` with header and payload of each message in a datagram; false if it ends in the middle of one.
func forEachMessage(in datagram: RawSpan, _ body: (MessageHeader, RawSpan) -> Void) -> Bool {
  var offset = 0
  while offset < datagram.byteCount {
    guard let header = MessageHeader(datagram, at: offset) else { return false }
    body(header, datagram.extracting(offset + MessageBuffer.headerLength..<offset + header.length))
    offset += (header.length + 3) & ~3
  }
  return true
}

/// Gives the bytes of an array to a reader.
func withBytes<Result>(of array: [UInt8], _ body: (RawSpan) -> Result) -> Result {
  body(unsafe array.span.bytes)
}
