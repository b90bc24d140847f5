/// A program that checks run, and that a machine may not have.
package enum CheckTool: String, CaseIterable {
  case ping, tcpdump, traceroute

  /// Debian's package.
  package var package: String { self == .ping ? "iputils-ping" : rawValue }

  package var absence: String { "\(rawValue) is not installed (package \(package))" }

  package func isInstalled(in searchPath: String = InstalledProgram.searchPath) -> Bool {
    InstalledProgram(rawValue, in: searchPath) != nil
  }
}
