import LabKit
import LabMachine
import LabModel

extension AllPairs: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    try await PairSweep(rules: PairRules(context.lab, on: network), context: context).run()
  }
}
