public import LabKit

/// A program that checks run, and that a machine may not have.
enum CheckTool: String, CaseIterable {
  case ping, tcpdump, traceroute

  /// Debian's package.
  var package: String { self == .ping ? "iputils-ping" : rawValue }

  var absence: String { "\(rawValue) is not installed (package \(package))" }

  func isInstalled(in searchPath: String = InstalledProgram.searchPath) -> Bool {
    InstalledProgram(rawValue, in: searchPath) != nil
  }
}

extension CheckRunner {
  /// Finds out before anything is brought up whether this machine has the programs that the checks run.
  ///
  /// - Throws: a `RunnerError` that names the packages to install.
  public static func requireTools(
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
      switch self {
      case .ping, .unreachable, .neighbour: [.ping]
      case .capture, .tagged: [.tcpdump]
      case .notFlooded: [.ping, .tcpdump]
      case .traceroute: [.traceroute]
      case .tcp, .sameTag, .differentTag, .run, .allPairs, .reachable: []
      }
    return needed.contains(tool) || value.references.nested.contains { $0.needs(tool) }
  }
}
