import CNetlink
import Glibc
import LabMachine
import LabProcesses
import SystemPackage

/// A connection to the keeper of a lab. Whatever is at its other end, each call returns within its limit.
final class KeeperConnection: Sendable {
  /// As in the helper's `MESSAGE_LIMIT`.
  private static let messageLimit = 160 << 10

  private let descriptor: CInt

  /// `nil` when nobody listens there.
  init?(_ path: String) throws(RunnerError) {
    descriptor = unsafe cnl_keeper_connect(path)
    guard descriptor < 0 else { return }
    guard [ENOENT, ECONNREFUSED, ENOTDIR].contains(errno) else {
      throw RunnerError(
        .environment, "cannot reach the keeper of the lab at \(path): \(Errno(rawValue: errno))",
        remedy: "Remove the socket: that ends the keeper, and the lab's processes with it.")
    }
    return nil
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Sends a request. Its fields hold no NUL.
  func send(_ fields: [String], within limit: Duration) throws(RunnerError) {
    let bytes = fields.flatMap { Array($0.utf8) + [0] }.map { CChar(bitPattern: $0) }
    guard bytes.count == fields.reduce(0, { $0 + $1.utf8.count + 1 }),
      !fields.contains(where: { $0.utf8.contains(0) })
    else { throw failure("ask the keeper of the lab to \(fields[0])", .invalidArgument) }
    guard bytes.count <= Self.messageLimit else {
      throw failure("ask the keeper of the lab to \(fields[0])", .messageTooLong)
    }
    guard unsafe cnl_keeper_send(descriptor, bytes, bytes.count, limit.milliseconds) == 0 else {
      throw failure("ask the keeper of the lab to \(fields[0])")
    }
  }

  /// The fields of the next message; `nil` if none comes in time.
  func receive(within limit: Duration) throws(RunnerError) -> [String]? {
    var bytes = [CChar](repeating: 0, count: Self.messageLimit)
    let length = unsafe cnl_keeper_receive(descriptor, &bytes, bytes.count, limit.milliseconds)
    if length < 0, errno == ETIMEDOUT { return nil }
    guard length > 0 else { throw failure("hear the keeper of the lab") }
    guard bytes[length - 1] == 0 else { throw failure("understand the keeper of the lab", .badMessage) }
    return bytes[..<(length - 1)].split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  /// What the keeper answers to a request.
  func answer(to fields: [String], within limit: Duration) throws(RunnerError) -> [String] {
    try send(fields, within: limit)
    guard let answer = try receive(within: limit) else {
      throw failure("ask the keeper of the lab to \(fields[0])", .timedOut)
    }
    return answer
  }

  /// Kills the keeper, and waits until all that it kept is gone.
  func kill(within limit: Duration) throws(RunnerError) {
    let process = cnl_keeper_process(descriptor)
    // It has ended by itself.
    if process < 0, errno == ECONNRESET { return }
    guard process >= 0 else { throw failure("find the keeper of the lab") }
    defer { close(process) }
    guard cnl_keeper_kill(process, limit.milliseconds) == 0 else {
      throw failure("end the keeper of the lab")
    }
  }

  private func failure(_ attempt: String, _ code: Errno = Errno(rawValue: errno)) -> RunnerError {
    RunnerError(
      .environment, "cannot \(attempt): \(code)",
      remedy: "`netlab down LAB` ends it with all of the lab; `netlab up FILE` starts anew.")
  }
}
