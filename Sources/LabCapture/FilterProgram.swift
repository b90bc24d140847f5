import CNetlink
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// A filter as the kernel takes it.
struct FilterProgram {
  var instructions: [cnl_packet_instruction] = []

  /// Has tcpdump compile a filter for a device, in its namespace: for a live device libpcap looks for VLAN tags where
  /// the kernel keeps them, beside the packet.
  init(_ filter: String, at place: CapturePlace, processes: ProcessRunner) async throws {
    guard !filter.isEmpty else { return }
    let result = try await processes.run(
      ["tcpdump", "-i", place.device.name, "-ddd", "--", filter], in: OpenNamespace.path(of: place.namespace),
      environment: processes.toolEnvironment, timeout: .seconds(10))
    guard result.status.isSuccess else {
      throw RunnerError(
        .environment,
        "tcpdump cannot compile the filter '\(filter)' for \(place.device): \(result.errorOutput)",
        remedy: result.status == .exited(127) ? CheckTool.tcpdump.absence : nil)
    }
    instructions = Self.instructions(in: result.output)
  }

  /// Reads what `tcpdump -ddd` prints: a line with the number of instructions, then one for each, four numbers.
  static func instructions(in text: String) -> [cnl_packet_instruction] {
    text.split(separator: "\n").dropFirst().compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      guard numbers.count == 4, let code = UInt16(exactly: numbers[0]),
        let ifTrue = UInt8(exactly: numbers[1]), let ifFalse = UInt8(exactly: numbers[2])
      else { return nil }
      return cnl_packet_instruction(code: code, if_true: ifTrue, if_false: ifFalse, value: numbers[3])
    }
  }
}
