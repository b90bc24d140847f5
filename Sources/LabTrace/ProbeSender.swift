import CNetlink
import Glibc
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Sends one packet from inside a namespace, through the sender's own stack.
struct ProbeSender {
  let mark: ProbeMark
  private let send: () -> CInt
  /// Whether the sender's socket has got an answer; nil for what is not answered.
  let isAnswered: (() -> Bool)?

  /// Prepares an IP packet of `length` bytes in all, which the sender's kernel routes.
  init(
    _ content: IPPacket.Content, from source: IPAddress, to destination: IPAddress, length: Int,
    in namespace: OpenNamespace
  ) throws(RunnerError) {
    let isIPv4 = source.family == .ipv4
    let (kind, port): (Int, Int) =
      switch content {
      case .udp(let port): (Int(IPPROTO_UDP), port)
      case .tcp(let port): (Int(IPPROTO_TCP), port)
      default: (isIPv4 ? Int(IPPROTO_ICMP) : Int(IPPROTO_ICMPV6), 0)
      }
    let (from, to) = (source.bytes, destination.bytes)
    let socket = unsafe cnl_probe_open(namespace.namespace.rawDescriptor, CInt(kind), from, CInt(from.count))
    guard socket >= 0 else {
      throw RunnerError(
        .kernel,
        "cannot send a probe from \(source) in \(namespace.name): \(unsafe String(cString: strerror(errno)))")
    }
    let probe = Socket(descriptor: socket)
    var mark = ProbeMark(
      source: source, destination: destination, content: content, identifier: UInt16.random(in: 1 ... .max),
      frameSource: MACAddress(value: 0))
    if port > 0 { mark.identifier = UInt16(truncatingIfNeeded: cnl_probe_port(socket)) }
    self.mark = mark
    let payload = Self.payload(mark, content, length: length, isIPv4: isIPv4)
    isAnswered = { cnl_probe_is_answered(probe.descriptor, CInt(kind), CInt(mark.identifier)) != 0 }
    send = {
      unsafe cnl_probe_send(
        probe.descriptor, CInt(kind), to, CInt(to.count), CInt(port), payload, payload.count)
    }
  }

  /// Prepares a raw frame.
  init(
    to destination: MACAddress, from source: MACAddress, tag: Int?, device: Int32, in namespace: OpenNamespace
  ) {
    let mark = ProbeMark(identifier: UInt16.random(in: 1 ... .max), frameSource: source)
    var frame = destination.bytes + source.bytes
    if let tag { frame += [0x81, 0x00] + mark.octets(UInt16(tag)) }
    frame += mark.octets(UInt16(ProbeMark.rawEtherType)) + mark.octets(mark.identifier)
    frame += [UInt8](repeating: 0, count: 44)
    self.mark = mark
    isAnswered = nil
    let (bytes, descriptor) = (frame, namespace)
    send = {
      unsafe cnl_send_frame(descriptor.namespace.rawDescriptor, device, bytes, bytes.count)
    }
  }

  /// Sends it: when, and the kernel's words if it refused.
  func fire() -> (time: Int64, failure: String?) {
    let time = cnl_tap_now()
    guard send() != 0 else { return (time, nil) }
    return (time, unsafe String(cString: strerror(errno)))
  }

  private final class Socket {
    let descriptor: CInt
    init(descriptor: CInt) { self.descriptor = descriptor }
    deinit { close(descriptor) }
  }

  /// What follows the IP header, or the UDP header.
  private static func payload(
    _ mark: ProbeMark, _ content: IPPacket.Content, length: Int, isIPv4: Bool
  ) -> [UInt8] {
    let room = max(length - (isIPv4 ? 20 : 40) - 8, 0)
    let filling = [UInt8](repeating: 0x6e, count: room)
    guard content == .echoRequest else { return filling }
    var message = [isIPv4 ? 8 : 128, 0, 0, 0] + mark.octets(mark.identifier) + mark.octets(1) + filling
    // For IPv6 the kernel fills in the checksum.
    let sum = isIPv4 ? checksum(message) : 0
    (message[2], message[3]) = (UInt8(sum >> 8), UInt8(sum & 0xff))
    return message
  }

  /// The Internet checksum (RFC 1071).
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (place, byte) in bytes.enumerated() { sum += place % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(truncatingIfNeeded: sum)
  }
}

extension ProbeMark {
  fileprivate func octets(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
