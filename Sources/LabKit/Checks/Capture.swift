/// A device sees given packets while other checks run: `tcpdump -i DEVICE FILTER`, which listens before the first
/// packet is sent.
///
///     Capture(at: web.tap, filter: "icmp") { Ping(from: web, to: db, count: 3) }.sees(.exactly(6))
///     Capture(at: other, filter: "arp") { Ping(from: web, to: db) }.sees(.nothing)
public struct Capture: Checks, CheckValue {
  package static let kind = "capture"

  package var point: CapturePoint
  package var filter: String
  package var sighting: Sighting
  package var stimulus: [Check]
  package var location: SourceLocation

  /// - Parameters:
  ///   - point: A VM's interface, a host's device of a VM's port, or any device of a node by name.
  ///   - filter: Which packets count, in the syntax of `man pcap-filter`; all when empty.
  ///   - stimulus: The checks that make the traffic. They must pass as well.
  public init(
    at point: some CapturePointReference, filter: String = "",
    file: String = #filePath, line: Int = #line, column: Int = #column,
    @ChecksBuilder while stimulus: () -> CheckGroup
  ) {
    self.point = point.capturePoint
    self.filter = filter
    self.sighting = .atLeast(1)
    self.stimulus = stimulus().checkList
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// States what must be seen. Without it, at least one packet.
  public func sees(_ sighting: Sighting) -> Capture {
    var capture = self
    capture.sighting = sighting
    return capture
  }

  package var title: String {
    "capture at \(point)\(filter.isEmpty ? "" : " '\(filter)'") sees \(sighting)".onOneLine
  }
  package var references: CheckReferences {
    let count =
      switch sighting {
      case .exactly(let count), .atLeast(let count): count
      case .nothing: 0
      }
    return CheckReferences(
      points: [point], filters: [filter], nested: stimulus, numbers: [("packet count", count, 0...1_000_000)],
      idleness: idleness)
  }
  private var idleness: (reason: String, fix: String)? {
    if stimulus.isEmpty {
      return ("a capture without traffic proves nothing", "write a check that makes some: { Ping(…) }")
    }
    return sighting == .atLeast(0)
      ? ("a capture that sees at least 0 packets passes whatever it sees", "write .atLeast(1) or .nothing")
      : nil
  }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
