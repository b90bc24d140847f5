internal import CNetlink
internal import Glibc

/// The hidden command `netlab __exec`, with which the program starts commands in namespaces.
public enum ExecHelper {
  static let name = "__exec"

  /// Becomes the command when this process was started as the helper; must come first in `main`.
  ///
  /// - Returns: `nil` when it was not; otherwise the status to exit with, after one line on standard error.
  public static func runIfRequested() -> Int32? {
    guard CommandLine.argc > 1, CommandLine.arguments[1] == name else { return nil }
    return unsafe cnl_exec_main(CommandLine.unsafeArgv + 2)
  }

  /// Replaces this process by a command inside a network namespace, like `ip netns exec`.
  ///
  /// Terminal, standard streams, environment and process identifier stay as they are. Call it last: other threads end.
  /// - Parameter namespace: a path such as `/run/netns/two-vms.focal-1`; `nil` for the current one.
  /// - Returns: only on failure, after one line on standard error: 127 when the command does not exist, otherwise 126.
  public static func replaceProcess(with command: [String], in namespace: String?) -> Int32 {
    var arguments = unsafe command.map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    return unsafe cnl_exec_in_namespace(namespace, arguments)
  }
}

/// The path with all symbolic links resolved; as it is when that fails.
func resolvingLinks(_ path: String) -> String {
  guard let resolved = unsafe realpath(path, nil) else { return path }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}
