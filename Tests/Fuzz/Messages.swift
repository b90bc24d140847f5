// Compiled together with Netlink's sources, see Tests/Fuzz/run.

/// Reads any bytes as what the kernel might send.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  decodeAll(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
