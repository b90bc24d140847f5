import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

extension CheckRunner {
  func perform(_ check: LabKit.Neighbour) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    guard let wanted = lab.port(owning: target)?.port.mac else {
      throw Failure(expected: "\(target) to be a VM's address", seen: "no VM of the lab has it")
    }
    let summary = try await ping(PingOptions(target: target, count: 1), from: check.from)
    let entries = try open(check.from).connection.neighbours().filter { $0.address == target.bytes }
    let known = entries.compactMap { $0.linkLayerAddress.flatMap { MACAddress(bytes: $0) } }
    // An entry that nobody confirms may be from before something changed.
    let isConfirmed =
      summary.received > 0 || entries.contains { !$0.state.isDisjoint(with: [.reachable, .permanent]) }
    guard known.contains(wanted), isConfirmed else {
      let place = known.first.map { "it is at \($0)" + (isConfirmed ? "" : ", where nobody answers") }
      throw Failure(
        expected: "\(target) at \(wanted) in the neighbour table of \(check.from)",
        seen: place ?? (entries.isEmpty ? "no entry" : "no answer to who has it"), details: summary.lines,
        passage: passage(check.from, check.to, target))
    }
    return "\(target) is at \(wanted)"
  }
}
