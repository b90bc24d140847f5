import LabKit
import LabProcesses

@testable import LabCapture
@testable import LabChecks
@testable import LabTrace

// Stands on the modules of a debug build, see Tests/Fuzz/run.

/// Reads any bytes as a captured frame, and as what the programs print that netlab listens to.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCaptures(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  for content in [IPPacket.Content.echoRequest, .udp(port: 53), .tcp(port: 80)] {
    var (mark, tag) = (ProbeMark(identifier: 0x1234, frameSource: Packet.broadcast), Int?.none)
    mark.content = content
    _ = mark.phase(of: bytes[...], tag: &tag)
    precondition(tag.map { (0..<4096).contains($0) } ?? true)
    _ = mark.phase(of: bytes.dropFirst(3), tag: &tag)
  }
  var file = PcapNG()
  file.packet(PassedPacket(place: 0, time: 0, isOutgoing: true, originalLength: size, bytes: bytes))
  precondition(file.bytes.count % 4 == 0)

  let text = String(decoding: bytes, as: UTF8.self)
  let lines = text.split(whereSeparator: \.isNewline).map(String.init)
  _ = PacketCapture.packets(in: lines)
  _ = PingSummary(lines: lines, status: .exited(0))
  _ = TracerouteHop.hops(in: text)
  _ = FilterProgram.instructions(in: text)
  _ = HookReader.droppingFilters(text)
  _ = HookReader.netfilterHooks(text)
  return 0
}
