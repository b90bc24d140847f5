/// One VM sends to another by TCP as fast as it can, and this many bytes arrive in a second: like
/// `iperf3 -c TARGET`.
///
///     Rate(from: slow, to: web, .megabits(8)...(.megabits(10)))
///     Rate(from: web, to: db, .megabits(100)...)
///
/// What counts are the bytes of the connection. Headers take some 5 percent more of what passes a port, so at a port with
/// `rate: .megabits(10)` about 9.5 Mbit/s arrive.
public struct Rate: Checks, CheckValue {
  package static let kind = "rate"

  package var from: String
  package var to: Endpoint
  package var minimum: BitRate
  /// Any when absent.
  package var maximum: BitRate?
  /// In milliseconds.
  package var duration: Int
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: Another VM, or a VM on one of its networks.
  ///   - range: How many bits arrive in a second.
  ///   - lasting: How long it sends, from 0.1 to 60 seconds. The first quarter is not counted.
  public init(
    from: some NodeReference, to: some EndpointReference, _ range: ClosedRange<BitRate>,
    lasting: Duration = .seconds(2), file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.init(
      from.nodeName, to.endpoint, range.lowerBound, range.upperBound, lasting,
      SourceLocation(file: file, line: line, column: column))
  }

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: Another VM, or a VM on one of its networks.
  ///   - range: The least bits that arrive in a second.
  ///   - lasting: How long it sends, from 0.1 to 60 seconds. The first quarter is not counted.
  public init(
    from: some NodeReference, to: some EndpointReference, _ range: PartialRangeFrom<BitRate>,
    lasting: Duration = .seconds(2), file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.init(
      from.nodeName, to.endpoint, range.lowerBound, nil, lasting,
      SourceLocation(file: file, line: line, column: column))
  }

  private init(
    _ from: String, _ to: Endpoint, _ minimum: BitRate, _ maximum: BitRate?, _ duration: Duration,
    _ location: SourceLocation
  ) {
    self.from = from
    self.to = to
    self.minimum = minimum
    self.maximum = maximum
    self.duration = duration.wholeMicroseconds / 1000
    self.location = location
  }

  package var title: String {
    "rate \(from) → \(to) is \(maximum.map { "\(minimum) to \($0)" } ?? "at least \(minimum)")"
  }
  package var references: CheckReferences {
    CheckReferences(
      vms: [from, to.name], paths: [(from, to)],
      numbers: [("lasting (ms)", duration, 100...60_000)],
      problems: minimum < .bits(0) ? ["a rate cannot be negative"] : [])
  }
  /// Other traffic would take its share.
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
