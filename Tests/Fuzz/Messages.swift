// Compiled together with Netlink's sources, see Tests/Fuzz/run.

/// Reads any bytes as a datagram from the kernel, and as the payload of each kind of message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  withBytes(of: bytes) { datagram in
    _ = forEachMessage(in: datagram) { header, payload in
      _ = Acknowledgement(header, payload)?.error(for: bytes)
      decode(payload)
    }
    decode(datagram)
  }
  let description = RequestDescription(bytes)
  _ = description.operation
  for offset in [0, 16, 32, 33, 60, bytes.count, .max] { _ = description.attributeName(at: offset) }
  return 0
}

private func decode(_ payload: RawSpan) {
  _ = Link(decoding: payload, withStatistics: true)
  _ = LinkAddress(decoding: payload)
  _ = Route(decoding: payload)
  _ = Rule(decoding: payload)
  _ = Neighbour(decoding: payload)
  _ = ForwardingEntry(decoding: payload)
  _ = PortVLANs(decoding: payload)
}
