import CNetlink
import Glibc
import LabKit
import LabMachine
import LabModel
import Netlink

/// What is looked at to see whether a service is ready.
struct Sight {
  private let readiness: Readiness?
  private let namespace: OpenNamespace
  private let log: LogTail

  init(of daemon: Daemon, in namespace: OpenNamespace, folder: LabFolder, readsWholeLog: Bool = false) {
    readiness = daemon.service.ready
    self.namespace = namespace
    let path = folder.log(of: daemon.name)
    log = LogTail(path: path, from: readsWholeLog ? 0 : Files.identity(of: path)?.size ?? 0)
  }

  /// What is looked for.
  var words: String { readiness.map { "\($0)" } ?? "it runs" }

  /// The last that it has written since, for the end of a sentence.
  func lastLines() -> String { log.words }

  /// Whether somebody else has the port already.
  var isTaken: Bool {
    switch readiness {
    case .tcp, .udp: isReady { _ in false }
    default: false
    }
  }

  func isReady<Failure>(_ succeeds: ([String]) throws(Failure) -> Bool) throws(Failure) -> Bool {
    switch readiness {
    case nil: true
    case .tcp(let port): ["tcp", "tcp6"].contains { hasSocket(in: $0, at: port, state: "0A") }
    case .udp(let port): ["udp", "udp6"].contains { hasSocket(in: $0, at: port, state: "07") }
    case .unixSocket(let path): isSocket(path)
    case .line(let text): log.hasLine(with: text)
    case .succeeds(let command): try succeeds(command)
    }
  }

  private func isSocket(_ path: String) -> Bool {
    Files.identity(of: path).map { $0.mode & S_IFMT == S_IFSOCK } ?? false
  }

  /// Reads `/proc/net/tcp`, where a line has `0: 00000000:0050 00000000:0000 0A …`.
  private func hasSocket(in table: String, at port: Int, state: String) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let length = unsafe cnl_read_in_namespace(
      namespace.namespace.rawDescriptor, "/proc/thread-self/net/\(table)", &bytes, bytes.count)
    guard length > 0 else { return false }
    let hexadecimal = String(port, radix: 16, uppercase: true)
    let ending = ":" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
    return String(decoding: bytes[..<length], as: UTF8.self).split(separator: "\n").contains { line in
      let words = line.split(separator: " ", maxSplits: 4)
      return words.count > 4 && words[1].hasSuffix(ending) && words[3] == state
    }
  }
}

/// The end of a log, from a moment on.
struct LogTail {
  let path: String
  /// In bytes.
  let from: Int

  /// The keeper keeps no more in one file.
  private static let limit = 2 << 20

  private var text: String {
    let bytes = (try? Files.read(path, limit: Self.limit)) ?? []
    // A shorter one was begun anew in the meantime.
    return String(decoding: bytes.count < from ? bytes[...] : bytes[from...], as: UTF8.self)
  }

  func hasLine(with part: String) -> Bool { text.contains(part) }

  /// `; its last lines: …`, or that it has written nothing.
  var words: String {
    let lines = text.split(whereSeparator: \.isNewline).suffix(3).map { String($0.prefix(200)).terminalSafe }
    if lines.isEmpty { return "; it has written nothing" }
    return "; its last lines:\n" + lines.map { "    \($0)" }.joined(separator: "\n")
  }

  /// The last lines in one, for a list.
  var shortWords: String {
    let lines = text.split(whereSeparator: \.isNewline).suffix(2).map { String($0.prefix(120)).terminalSafe }
    return lines.isEmpty ? "" : "; last lines: \(lines.joined(separator: " / "))"
  }
}
