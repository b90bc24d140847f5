import LabMachine
import LabProcesses
import Netlink
import Values

/// What is asked of `ping`.
struct PingRequest {
  var target: IPAddress
  var count: Int
  var size: Int?
  var dontFragment = false
  /// How long to wait for the last reply when there was none, in milliseconds.
  var timeout = 1000
  /// The time between requests that do not go out at once, and the wait for the last reply when there was one, in
  /// milliseconds.
  ///
  /// It costs nothing where all requests go out at once, unless the kernel refuses to send them.
  var interval = 200

  /// How many requests go out at once. More bytes than about these are dropped while the target's MAC is not known.
  var burst: Int { min(count, max(1, min(100, 50_000 / ((size ?? 56) + 100)))) }

  /// Runs `ping` in a node, or netlab's own echo where ping cannot be used.
  ///
  /// - Throws: an unproven `Failure` when neither can.
  func send(from node: String, in context: CheckContext) async throws -> PingSummary {
    // Requests, the wait for the last reply, and room for a slow machine.
    let limit = Duration.milliseconds(count * interval + timeout + 60_000)
    let identifier = context.identifiers.next()
    let obstacle: String
    do {
      let result = try await context.run(.ping, arguments(identifier), on: node, timeout: limit)
      let summary = PingSummary(result)
      guard let found = summary.obstacle(to: count) else { return summary }
      obstacle = found
    } catch let error as ProcessError {
      obstacle = "\(error)"
    }
    do {
      var summary = try await OwnEcho(request: self, identifier: identifier).send(from: node, in: context)
      // Where the kernel says the same to both, ping has told it as it is.
      if summary.reason != obstacle { summary.note = "netlab's own echo: ping cannot be used: \(obstacle)" }
      return summary
    } catch let error as NetlinkError {
      throw Failure.unproven(
        "\(count) echo requests from \(node) to \(target)",
        "ping cannot be used: \(obstacle); nor can netlab's own echo: \(error)")
    }
  }

  private func arguments(_ identifier: UInt16) -> [String] {
    let interval = burst == count ? interval : 10
    var arguments = ["-n", "-e", "\(identifier)", "-c", "\(count)", "-l", "\(burst)"]
    arguments += ["-i", "\(Double(interval) / 1000)"]
    arguments += ["-W", "\(Double(timeout) / 1000)"]
    if let size { arguments += ["-s", "\(size)"] }
    if dontFragment { arguments += ["-M", "do"] }
    return arguments + ["\(target)"]
  }
}
