import LabKernel
import LabKit
import LabMachine
import LabModel
import Netlink

extension LabKit.Neighbour: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    guard let wanted = context.lab.port(owning: target)?.port.mac else {
      throw Failure(expected: "\(target) to be a VM's address", seen: "no VM of the lab has it")
    }
    let summary = try await PingRequest(target: target, count: 1).send(from: from, in: context)
    let entries = try context.open(from).connection.neighbours().filter { $0.address == target }
    let known = entries.compactMap(\.linkLayerAddress)
    // An entry that nobody confirms may be from before something changed.
    let isConfirmed =
      summary.received > 0 || entries.contains { !$0.state.isDisjoint(with: [.reachable, .permanent]) }
    guard known.contains(wanted), isConfirmed else {
      let place = known.first.map { "it is at \($0)" + (isConfirmed ? "" : ", where nobody answers") }
      throw Failure(
        expected: "\(target) at \(wanted) in the neighbour table of \(from)",
        seen: place ?? (entries.isEmpty ? "no entry" : "no answer to who has it"), details: summary.lines,
        passage: context.passage(from, to, target))
    }
    return "\(target) is at \(wanted)"
  }
}
