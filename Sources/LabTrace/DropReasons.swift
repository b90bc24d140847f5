import CNetlink
import Glibc
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Why the kernel drops the packets that this thread sends: its own words, from the tracepoint `skb:kfree_skb`.
///
/// Packets pass veth cables and bridges in the sender's own context, so that what is dropped there is told from what
/// others send. A kernel that is busy may hand them to a thread of its own: then their end is not seen.
final class DropReasons {
  private let root: CInt
  private let instance = "instances/netlab-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  private var event: String { "\(instance)/events/skb/kfree_skb" }

  /// Watches from now on. `nil` where the kernel has no such tracepoint, or does not let this user look.
  init?() {
    root = cnl_open_tracefs()
    guard root >= 0 else { return nil }
    guard unsafe mkdirat(root, instance, 0o700) == 0 else {
      close(root)
      return nil
    }
    // Reasons are told since Linux 5.17.
    guard write("common_pid == \(cnl_thread_id()) && reason > 2", to: "\(event)/filter"),
      write("1", to: "\(event)/enable")
    else { return nil }
  }

  deinit {
    guard root >= 0 else { return }
    _ = unsafe unlinkat(root, instance, AT_REMOVEDIR)
    close(root)
  }

  /// What was dropped until now, each once: `NETFILTER_DROP in nft_do_chain`.
  func read() -> [String] {
    var reasons: [String] = []
    for line in text(of: "\(instance)/trace").split(separator: "\n") {
      guard let reason = Self.reason(in: line), !reasons.contains(reason) else { continue }
      reasons.append(reason)
    }
    return reasons
  }

  /// `… kfree_skb: skbaddr=… protocol=2048 location=nft_do_chain+0x3e8/0x610 reason: NETFILTER_DROP`
  static func reason(in line: Substring) -> String? {
    guard let event = line.firstRange(of: " kfree_skb: "), let reason = line.firstRange(of: " reason: "),
      let location = line[event.upperBound...].firstRange(of: " location=")
    else { return nil }
    let function = line[location.upperBound...].prefix { $0 != "+" && $0 != "/" && $0 != " " }
    return "\(line[reason.upperBound...]) in \(function)"
  }

  private func write(_ text: String, to path: String) -> Bool {
    let file = unsafe openat(root, path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return unsafe Glibc.write(file, text, text.utf8.count) == text.utf8.count
  }

  private func text(of path: String) -> String {
    let file = unsafe openat(root, path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(file, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk.prefix(count)
    }
  }
}
