/// A program that checks run, and that a machine may not have.
package enum CheckTool: String, CaseIterable {
  case ping, tcpdump, traceroute

  /// Debian's package.
  package var package: String { self == .ping ? "iputils-ping" : rawValue }

  package var absence: String { "\(rawValue) is not installed (package \(package))" }

  /// Where they are looked for: not in the caller's PATH, which may lead to another program of the name.
  package static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  package func isInstalled(in searchPath: String = Self.searchPath) -> Bool {
    InstalledProgram(rawValue, in: searchPath) != nil
  }
}
