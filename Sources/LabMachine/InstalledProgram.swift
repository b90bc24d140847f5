import Glibc
import Netlink

/// A program of this machine's.
package struct InstalledProgram: Sendable {
  package let path: String

  /// The directories in which this process's commands are looked up.
  package static var searchPath: String {
    unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
  }

  /// Finds it in the first of the directories that has it; `nil` where none has.
  package init?(_ name: String, in searchPath: String = Self.searchPath) {
    let paths = searchPath.split(separator: ":").map { "\($0)/\(name)" }
    guard let path = paths.first(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
    self.path = path
  }
}
