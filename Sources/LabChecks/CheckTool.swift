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
  /// Finds out before anything is brought up whether this machine has the programs that the checks run.
  ///
  /// - Throws: a `RunnerError` that names the packages to install.
  package static func requireTools(
    for checks: [Check], in searchPath: String = InstalledProgram.searchPath
  ) throws(RunnerError) {
    let missing = CheckTool.allCases.filter { tool in
      checks.contains { $0.needs(tool) } && !tool.isInstalled(in: searchPath)
    }
    guard !missing.isEmpty else { return }
    throw RunnerError(
      .environment, "the checks of this lab need " + missing.map(\.rawValue).joined(separator: ", "),
      remedy: "Install what is missing: apt-get install " + missing.map(\.package).joined(separator: " "))
  }
}

extension Check {
  fileprivate func needs(_ tool: CheckTool) -> Bool {
    let needed: [CheckTool] =
      switch value {
      case is Ping, is Unreachable, is LabKit.Neighbour: [.ping]
      case is Capture, is Tagged: [.tcpdump]
      case is NotFlooded: [.ping, .tcpdump]
      case is Traceroute: [.traceroute]
      default: []
      }
    return needed.contains(tool) || value.references.nested.contains { $0.needs(tool) }
  }
}
