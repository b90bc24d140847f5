import Glibc
import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// The limit of open files: each open namespace takes two.
package enum DescriptorLimit {
  /// What the program needs besides.
  private static let reserve = 48

  /// Raises the limit as far as so many namespaces need, and is permitted.
  package static func raise(toFit namespaces: Int) throws(RunnerError) {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let needed = rlim_t(namespaces * 2 + reserve)
    guard limit.rlim_cur < needed else { return }
    // Beyond the hard limit only root may go.
    limit.rlim_cur = max(needed, limit.rlim_max)
    limit.rlim_max = limit.rlim_cur
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw RunnerError(
        .environment,
        "\(namespaces) namespaces need \(needed) open files, more than this process is permitted",
        remedy: "Raise the limit: ulimit -n \(needed)")
    }
  }
}
