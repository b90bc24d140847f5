import CNetlink
import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabTrace
import Netlink
import Values

extension Rate: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    let result = try await measure(target, in: context.lab)
    guard result.error == 0 else {
      var passage = context.passage(from, to, target)
      passage.probe.transport = .tcp
      throw Failure(
        expected: expected(target), seen: errorText(result.error), passage: passage)
    }
    guard result.nanoseconds > 0 else {
      throw Failure(
        expected: expected(target), seen: "nothing arrived", passage: context.passage(from, to, target))
    }
    let rate = BitRate(bitsPerSecond: Int(Double(result.bytes) * 8e9 / Double(result.nanoseconds)))
    guard rate >= minimum, maximum.map({ rate <= $0 }) ?? true else {
      throw Failure(expected: expected(target), seen: "\(rate): \(result.text)")
    }
    return "\(rate): \(result.text)"
  }

  private func expected(_ target: IPAddress) -> String {
    "\(maximum.map { "\(minimum) to \($0)" } ?? "at least \(minimum)") to arrive at \(target)"
  }

  private func measure(_ target: IPAddress, in lab: ResolvedLab) async throws -> cnl_rate_result {
    // Sent again after a second if the first packet got lost.
    let limit: Int32 = 5000
    let (client, server) = (lab.namespace(of: from), lab.namespace(of: to.name))
    let duration = Int32(clamping: self.duration)
    return try await blocking {
      let receiver = try NetworkNamespace.open(path: OpenNamespace.path(of: server))
      let sender = try NetworkNamespace.open(path: OpenNamespace.path(of: client))
      return unsafe cnl_measure_rate(
        receiver.rawDescriptor, sender.rawDescriptor, target.bytes, Int32(target.bytes.count), duration, limit
      )
    }
  }
}

extension cnl_rate_result {
  /// `1789024 bytes in 1.5 s`
  fileprivate var text: String {
    let tenths = (nanoseconds + 50_000_000) / 100_000_000
    return "\(bytes) bytes in \(tenths / 10).\(tenths % 10) s"
  }
}
