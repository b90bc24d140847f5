import FoundationEssentials
import Glibc

/// The capabilities that root needs for labs on this machine's own kernel. A container may withhold them.
enum Rights {
  private static let needed: [(bit: UInt64, name: String)] = [
    (6, "CAP_SETGID"), (7, "CAP_SETUID"), (12, "CAP_NET_ADMIN"), (13, "CAP_NET_RAW"), (21, "CAP_SYS_ADMIN"),
  ]

  /// The names of those that this process lacks.
  static var missing: [String] {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
      let set = UInt64(line.dropFirst("CapEff:".count).drop { $0 == "\t" }, radix: 16)
    else { return [] }
    return needed.filter { set & (1 << $0.bit) == 0 }.map(\.name)
  }

  /// What root lacks, in a sentence; `nil` if it is nothing, and for ordinary users, who have worlds.
  static var lack: String? {
    let missing = geteuid() == 0 ? missing : []
    return missing.isEmpty ? nil : "root lacks \(missing.joined(separator: ", ")) here"
  }
}
