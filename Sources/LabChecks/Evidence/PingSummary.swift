import LabProcesses

/// What `ping` printed.
struct PingSummary {
  var received = 0
  /// In microseconds.
  var averageRoundTrip: Double?
  /// Why there was no reply, where somebody said so: the kernel, or a node on the way.
  var reason: String?
  var lines: [String]

  init(_ result: ProcessResult) { self.init(lines: result.lines, status: result.status) }

  init(lines: [String], status: ProcessResult.Status) {
    self.lines = lines
    for line in lines {
      if line.contains(" packets transmitted, ") {
        received = Int(line.split(separator: ", ")[1].prefix { $0.isNumber }) ?? 0
      } else if line.hasPrefix("rtt "), let values = line.split(separator: " = ").last {
        averageRoundTrip = values.split(separator: "/").dropFirst().first.flatMap { Double($0) }.map {
          $0 * 1000
        }
      } else if line.hasPrefix("ping: ") {
        reason = reason ?? Self.words(of: line)
      } else if line.hasPrefix("From "), let words = line.firstIndex(of: "=") {
        // From 10.0.0.1 icmp_seq=1 Destination Host Unreachable
        let said = line[words...].drop { $0 != " " }.dropFirst()
        reason = reason ?? "\(said) (says \(line.split(separator: " ")[1]))"
      }
    }
    if reason == nil, !status.isSuccess, status != .exited(1) {
      reason = "ping: \(status)"
    }
  }

  /// `ping: connect: Network is unreachable` without the program's name.
  private static func words(of line: String) -> String {
    line.split(separator: ": ").dropFirst().drop { $0 == "connect" || $0 == "sendmsg" }.joined(
      separator: ": ")
  }

  func text(of count: Int) -> String {
    var text = "\(received) of \(count) replies"
    if received > 0, let averageRoundTrip { text += ", \(Int(averageRoundTrip.rounded())) µs on average" }
    if received < count, let reason { text += ": \(reason)" }
    return text
  }
}
