internal import CNetlink

/// A filter as the kernel takes it.
struct FilterProgram {
  var instructions: [cnl_packet_instruction] = []

  /// Has tcpdump compile a filter for a device, in its namespace: for a live device libpcap looks for VLAN tags where
  /// the kernel keeps them, beside the packet.
  init(_ filter: String, at place: CapturePlace, processes: ProcessRunner) async throws {
    guard !filter.isEmpty else { return }
    let result = try await processes.run(
      ["tcpdump", "-i", place.device.name, "-ddd", "--", filter], in: OpenNamespace.path(of: place.namespace),
      timeout: .seconds(10))
    guard result.status.isSuccess else {
      throw RunnerError(
        .environment,
        "tcpdump cannot compile the filter '\(filter)' for \(place.device): \(result.errorOutput)",
        remedy: result.status == .exited(127) ? CheckTool.tcpdump.absence : nil)
    }
    // A line with their number, then one for each instruction: four numbers.
    instructions = result.output.split(separator: "\n").dropFirst().compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      guard numbers.count == 4 else { return nil }
      return cnl_packet_instruction(
        code: UInt16(numbers[0]), if_true: UInt8(numbers[1]), if_false: UInt8(numbers[2]), value: numbers[3])
    }
  }
}
