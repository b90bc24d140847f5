import LabMachine
import LabProcesses

/// What `ping` found out, or netlab's own echo in its place.
struct PingSummary {
  /// How many requests it says that it sent; `nil` without a complete summary.
  var transmitted: Int?
  var received = 0
  /// In microseconds.
  var averageRoundTrip: Double?
  /// Why there was no reply, where somebody said so: the kernel, or a node on the way.
  var reason: String?
  /// Who found it out when it was not ping, and why.
  var note: String?
  var lines: [String] = []
  var status = ProcessResult.Status.exited(0)

  init(_ result: ProcessResult) { self.init(lines: result.lines, status: result.status) }

  init(lines: [String], status: ProcessResult.Status) {
    self.lines = lines
    self.status = status
    for line in lines {
      if let counts = Self.counts(in: line) {
        (transmitted, received) = counts
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
  }

  /// What netlab's own echo found out.
  init(roundTrips: [Int64], reason: String?) {
    received = roundTrips.count
    self.reason = reason
    if !roundTrips.isEmpty {
      averageRoundTrip = Double(roundTrips.reduce(0, +)) / Double(roundTrips.count) / 1000
    }
  }

  /// `3 packets transmitted, 2 received, 33% packet loss, time 9ms`
  private static func counts(in line: String) -> (Int, Int)? {
    let parts = line.split(separator: ", ").map { $0.split(separator: " ") }
    guard parts.count > 2, parts[0].count == 3, parts[0][1...] == ["packets", "transmitted"],
      let transmitted = Int(parts[0][0]), parts[1].count == 2, parts[1][1] == "received",
      let received = Int(parts[1][0])
    else { return nil }
    return (transmitted, received)
  }

  /// `ping: connect: Network is unreachable` without the program's name.
  private static func words(of line: String) -> String {
    line.split(separator: ": ").dropFirst().drop { $0 == "connect" || $0 == "sendmsg" }.joined(
      separator: ": ")
  }

  /// Why this says nothing about the network; `nil` when ping did all that was asked of it, whatever came of it.
  func obstacle(to count: Int) -> String? {
    if transmitted == count, status == .exited(0) || status == .exited(1) { return nil }
    if status == .exited(127) { return CheckTool.ping.absence }
    if let reason { return reason }
    guard let transmitted else { return lines.last ?? "\(status)" }
    return transmitted == count ? "it failed: \(status)" : "it sent \(transmitted) of \(count) requests"
  }

  func text(of count: Int) -> String {
    var text = "\(received) of \(count) replies"
    if received > 0, let averageRoundTrip { text += ", \(Int(averageRoundTrip.rounded())) µs on average" }
    if received < count, let reason { text += ": \(reason)" }
    return text + noteText
  }

  /// The note in brackets, to stand behind something else.
  var noteText: String { note.map { " (\($0))" } ?? "" }
}
