import Glibc
import LabMachine
import LabModel

/// The program `netlab-exec`, through which commands are started in namespaces.
package enum ExecHelper {
  static let name = "netlab-exec"

  /// Where it is: beside this program in a build, in `lib/netlab` of an installation.
  package static func locate() -> String {
    let directory = resolvingLinks("/proc/self/exe").split(separator: "/").dropLast().joined(separator: "/")
    let candidates = ["/\(directory)/\(name)", "/\(directory)/../lib/netlab/\(name)"]
    return candidates.first { unsafe access($0, X_OK) == 0 } ?? candidates[0]
  }

  /// Replaces this process by a command inside a node, like `ip netns exec`.
  ///
  /// Terminal, standard streams and environment stay as they are. Call it last: other threads end.
  /// - Returns: only on failure, after one line on standard error: 127 when the command does not exist, otherwise 126.
  package static func replaceProcess(with command: [String], at place: NodePlace) -> Int32 {
    replaceProcess(place.arguments + ["--"] + command)
  }

  static func replaceProcess(_ arguments: [String]) -> Int32 {
    let helper = locate()
    var arguments = unsafe ([helper] + arguments).map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    unsafe execv(helper, arguments)
    unsafe perror("netlab: cannot run \(helper)")
    return 126
  }
}
