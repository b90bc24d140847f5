import LabKit
import LabMachine

extension [Check] {
  /// Finds out before anything is brought up whether this machine has the programs that the checks cannot do without.
  ///
  /// - Throws: a `RunnerError` that names the packages to install.
  package func requireTools(
    in searchPath: String = CheckTool.searchPath
  ) throws(RunnerError) {
    let needed = tools
    let missing = CheckTool.allCases.filter { needed.contains($0) && !$0.isInstalled(in: searchPath) }
    guard !missing.isEmpty else { return }
    throw RunnerError(
      .environment, "the checks of this lab need " + missing.map(\.rawValue).joined(separator: ", "),
      remedy: "Install what is missing: apt-get install " + missing.map(\.package).joined(separator: " "))
  }

  /// The programs that the checks, and those inside them, run.
  private var tools: Set<CheckTool> {
    reduce(into: []) { tools, check in
      tools.formUnion(type(of: check.runnable).tools)
      tools.formUnion(check.value.references.nested.tools)
    }
  }
}
