import LabKit
import LabMachine
import LabModel

extension Reachable: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    try await PairSweep(rules: PairRules(context.lab, vms: vms), context: context).run()
  }
}
