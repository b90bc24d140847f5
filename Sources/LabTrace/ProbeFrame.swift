import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// What tells the frames of one probe, of its name resolution and of its answer, from all others.
struct ProbeMark: Sendable {
  var source: IPAddress?
  var destination: IPAddress?
  var content = IPPacket.Content.echoRequest
  /// The identifier of an echo, or the own port.
  var identifier: UInt16
  /// The sender's address, and what a raw frame carries.
  var frameSource: MACAddress

  /// The EtherType for experiments (IEEE 802).
  static let rawEtherType = 0x88b5

  /// The key of the phase that a frame belongs to; nil if it is none of this probe's.
  func phase(of frame: ArraySlice<UInt8>, tag: inout Int?) -> String? {
    let bytes = FrameBytes(frame)
    guard var type = bytes.short(12) else { return nil }
    var start = 14
    if type == 0x8100 || type == 0x88a8 {
      tag = tag ?? bytes.short(14).map { $0 & 0xfff }
      guard let inner = bytes.short(16) else { return nil }
      (type, start) = (inner, 18)
    }
    switch type {
    case Self.rawEtherType:
      return bytes.mac(6) == frameSource && bytes.short(start) == Int(identifier)
        ? Predictor.Walk.frameKey : nil
    case 0x0806: return resolution(bytes, start)
    case 0x0800: return phase(ofIPv4: bytes, start)
    case 0x86dd: return phase(ofIPv6: bytes, start)
    default: return nil
    }
  }

  private func resolution(_ bytes: FrameBytes, _ start: Int) -> String? {
    guard let sender = bytes.address(start + 14, 4), let target = bytes.address(start + 24, 4) else {
      return nil
    }
    return key(isRequest: bytes.short(start + 6) == 1, sender: sender, target: target)
  }

  private func key(isRequest: Bool, sender: IPAddress, target: IPAddress) -> String {
    isRequest ? "who has \(target) tell \(sender)" : "\(sender) is at, \(target)"
  }

  private func phase(ofIPv4 bytes: FrameBytes, _ start: Int) -> String? {
    guard let header = bytes.byte(start).map({ Int($0 & 15) * 4 }), let proto = bytes.byte(start + 9) else {
      return nil
    }
    return phase(
      bytes, start + header, proto, from: bytes.address(start + 12, 4), to: bytes.address(start + 16, 4),
      echo: (8, 0), refusal: 3, inner: 20)
  }

  private func phase(ofIPv6 bytes: FrameBytes, _ start: Int) -> String? {
    guard let proto = bytes.byte(start + 6), let from = bytes.address(start + 8, 16),
      let to = bytes.address(start + 24, 16)
    else { return nil }
    let content = start + 40
    if proto == 58, let type = bytes.byte(content), type == 135 || type == 136,
      let target = bytes.address(content + 8, 16)
    {
      return type == 135
        ? key(isRequest: true, sender: from, target: target)
        : key(isRequest: false, sender: target, target: to)
    }
    return phase(bytes, content, proto, from: from, to: to, echo: (128, 129), refusal: 1, inner: 40)
  }

  private func phase(
    _ bytes: FrameBytes, _ start: Int, _ proto: UInt8, from: IPAddress?, to: IPAddress?,
    echo: (request: UInt8, reply: UInt8), refusal: UInt8, inner: Int
  ) -> String? {
    let (first, second) = (bytes.short(start), bytes.short(start + 2))
    let own = Int(identifier)
    switch (content, proto) {
    case (.echoRequest, 1), (.echoRequest, 58):
      guard bytes.short(start + 4) == own else { return nil }
      if bytes.byte(start) == echo.request { return "packet" }
      return bytes.byte(start) == echo.reply ? "answer" : nil
    case (.udp(let port), 17), (.tcp(let port), 6):
      if first == own, second == port, from == source { return "packet" }
      return first == port && second == own ? "answer" : nil
    case (.udp, 1), (.udp, 58):
      return bytes.byte(start) == refusal && bytes.short(start + 8 + inner) == own ? "answer" : nil
    default: return nil
    }
  }
}

/// A frame's bytes, of which there may be fewer than its headers say.
private struct FrameBytes {
  private let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  func byte(_ offset: Int) -> UInt8? {
    offset < bytes.count ? bytes[bytes.startIndex + offset] : nil
  }

  func short(_ offset: Int) -> Int? {
    guard let high = byte(offset), let low = byte(offset + 1) else { return nil }
    return Int(high) << 8 | Int(low)
  }

  func mac(_ offset: Int) -> MACAddress? { MACAddress(bytes: range(offset, 6)) }
  func address(_ offset: Int, _ length: Int) -> IPAddress? { IPAddress(bytes: range(offset, length)) }

  private func range(_ offset: Int, _ length: Int) -> [UInt8] {
    Array(bytes.dropFirst(offset).prefix(length))
  }
}
