// The fuzzer compiles this file together with Netlink's sources, see Tests/Fuzz/run.
#if canImport(Netlink)
  @testable import Netlink
#endif

/// Puts bytes through every decoder, as a datagram from the kernel and as the payload of each kind of message.
func decodeAll(_ bytes: [UInt8]) {
  withBytes(of: bytes) { datagram in
    _ = forEachMessage(in: datagram) { header, payload in
      _ = Acknowledgement(header, payload)?.error(for: bytes)
      decodePayload(payload)
    }
    decodePayload(datagram)
  }
  let description = RequestDescription(bytes)
  _ = description.operation
  for offset in [0, 16, 32, 33, 60, bytes.count, .max] { _ = description.attributeName(at: offset) }
}

private func decodePayload(_ payload: RawSpan) {
  _ = Link(decoding: payload, withStatistics: true)
  _ = LinkAddress(decoding: payload)
  _ = MulticastGroup(decoding: payload)
  _ = Route(decoding: payload)
  _ = Rule(decoding: payload)
  _ = Neighbour(decoding: payload)
  _ = ForwardingEntry(decoding: payload)
  _ = PortVLANs(decoding: payload)
  _ = Qdisc(decoding: payload)
}
