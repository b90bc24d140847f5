import LabKit
import LabMachine
import LabModel
import LabProcesses

/// Why a lab file gave no topology.
package enum LoadingError: Error, Sendable {
  /// The file cannot be read, or is not what a lab file is.
  case unusableFile(path: String, reason: String, remedy: String)
  /// The Swift compiler refused the lab; `diagnostics` are its words.
  case notCompiled(path: String, diagnostics: String)
  /// The lab's own process failed: it crashed, hung, flooded, or exited by itself.
  case labFailed(path: String, reason: String, remedy: String)
  /// The lab's own process said why there is no topology, in words that were logged.
  case refused(words: String)
  /// There is no Swift compiler on this machine.
  case noCompiler(searched: [String])
  /// What labs are compiled against is missing.
  case noLabKit(searched: [String])
  /// This root may not become the user that labs run as.
  case noOtherUser(id: UInt32)
  /// The machine is in the way: no space, no permission, no such user …
  case environment(attempt: String, reason: String, remedy: String)

  /// The exit status of a command that fails for this reason: 2 when the lab is wrong, 3 when the machine lacks something.
  package var exitCode: Int32 {
    switch self {
    case .unusableFile, .notCompiled, .labFailed, .refused: 2
    case .noCompiler, .noLabKit, .noOtherUser, .environment: 3
    }
  }
}

extension LoadingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unusableFile(let path, let reason, let remedy):
      "cannot read the lab \(path): \(reason)\n  \(remedy)"
    case .notCompiled(_, let diagnostics):
      diagnostics
    case .labFailed(let path, let reason, let remedy):
      "the lab \(path) gave no topology: \(reason)\n  \(remedy)"
    case .refused(let words):
      words
    case .noCompiler(let searched):
      """
      cannot compile the lab: there is no swiftc in \(searched.joined(separator: ", "))
        Install Swift (https://www.swift.org/install) or put its bin directory into PATH. Without it, a lab that was
        compiled elsewhere (`netlab compile LAB.swift > LAB.json`) can be used: give the .json in place of the .swift.
      """
    case .noLabKit(let searched):
      """
      cannot compile the lab: there is no LabKit library in \(searched.joined(separator: ", "))
        In a checkout of netlab, run `swift build --product LabKit` (with `-c release` for a release build); elsewhere,
        `make install`, or set NETLAB_LABKIT to the directory that holds libLabKit.so and LabKit.swiftmodule.
      """
    case .noOtherUser(let id):
      """
      cannot run the lab as user \(id): root has no right to become another user here (CAP_SETUID, CAP_SETGID)
        Give the container these rights, run netlab as an ordinary user, or give a lab that was compiled elsewhere
        (`netlab compile LAB.swift > LAB.json`). If you trust the lab, --as-root runs it as root.
      """
    case .environment(let attempt, let reason, let remedy):
      "cannot \(attempt): \(reason)\n  \(remedy)"
    }
  }
}
