internal import CNetlink
internal import Glibc

extension NetworkNamespace {
  /// Turns this process into a command that runs in the namespace pinned at a path, with its devices in
  /// /sys/class/net and the files of /etc/netns/NAME over those of /etc (`ip netns exec NAME …`).
  ///
  /// On failure it writes one line to standard error and exits with 127 (no such command) or 126.
  ///
  /// - Parameter parent: the process whose death kills this one; nil: none. The kernel means the thread that
  ///   started this one: that has to live as long as the process.
  public static func exec(
    _ command: [String], inNamespaceAt path: String, dyingWith parent: Int32? = nil
  ) -> Never {
    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    unsafe cnl_exec_in_namespace(path, parent ?? 0, &arguments)
  }
}
