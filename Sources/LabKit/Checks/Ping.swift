/// The target answers echo requests: `ping -c COUNT TARGET` in the sender's namespace.
///
///     Ping(from: web, to: db)
///     Ping(from: web, to: db.on(back), size: 1472, dontFragment: true)
///     Ping(from: web, to: "10.0.2.10", count: 100, loss: 5, within: .milliseconds(2))
///     Ping(from: web, to: far).takes(.milliseconds(20)...)
///     Ping(from: web, to: lossy, count: 300).loses(1...11)
public struct Ping: Checks, CheckValue {
  package static let kind = "ping"

  package var from: String
  package var to: Endpoint
  package var count: Int
  /// In bytes; 56 when absent.
  package var size: Int?
  package var dontFragment: Bool
  /// In percent; none when absent.
  package var minimumLoss: Int?
  /// In percent.
  package var maximumLoss: Int
  /// In microseconds, on average, once the address is resolved; absent where `takes` says nothing.
  package var minimumRoundTrip: Int?
  /// In microseconds, on average.
  package var maximumRoundTrip: Int?
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: A VM, a VM on one of its networks, or an address.
  ///   - count: How many requests, from 1 to 1000.
  ///   - size: Payload bytes after the ICMP header (8 bytes) and the IP header (20 or 40 bytes): ping's `-s`; 56 when
  ///     absent.
  ///   - dontFragment: Forbids fragmentation on the way: ping's `-M do`.
  ///   - loss: The greatest share of lost packets that still passes, in percent.
  ///   - within: The greatest average round-trip time that still passes, up to a minute; any when absent.
  public init(
    from: some NodeReference, to: some EndpointReference, count: Int = 3, size: Int? = nil,
    dontFragment: Bool = false, loss: Int = 0, within: Duration? = nil,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.count = count
    self.size = size
    self.dontFragment = dontFragment
    self.maximumLoss = loss
    self.maximumRoundTrip = within?.wholeMicroseconds
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// States how long a round trip takes on average.
  ///
  /// One more request goes first, which is not counted: finding the target's MAC takes a round trip of its own.
  public func takes(_ range: ClosedRange<Duration>) -> Ping { takes(range.lowerBound, range.upperBound) }
  /// States how long a round trip takes on average, at least.
  public func takes(_ range: PartialRangeFrom<Duration>) -> Ping { takes(range.lowerBound, nil) }
  /// States how long a round trip takes on average, at most.
  public func takes(_ range: PartialRangeThrough<Duration>) -> Ping { takes(.zero, range.upperBound) }

  private func takes(_ minimum: Duration, _ maximum: Duration?) -> Ping {
    var check = self
    check.minimumRoundTrip = minimum.wholeMicroseconds
    check.maximumRoundTrip = maximum?.wholeMicroseconds
    return check
  }

  /// States the share of requests without an answer, in percent.
  ///
  /// Loss is chance: of 300 packets of which a twentieth gets lost, 1 to 11 percent are lost in all but one of 10,000
  /// runs. One more request goes first, which is not counted: finding the target's MAC may take several attempts, and
  /// what waits for it would be lost.
  public func loses(_ percent: ClosedRange<Int>) -> Ping { loses(percent.lowerBound, percent.upperBound) }
  /// States the least share of requests without an answer, in percent.
  public func loses(_ percent: PartialRangeFrom<Int>) -> Ping { loses(percent.lowerBound, 100) }
  /// States the greatest share of requests without an answer, in percent.
  public func loses(_ percent: PartialRangeThrough<Int>) -> Ping { loses(0, percent.upperBound) }

  private func loses(_ minimum: Int, _ maximum: Int) -> Ping {
    var check = self
    check.minimumLoss = minimum
    check.maximumLoss = maximum
    return check
  }

  package var title: String {
    "ping \(from) → \(to)" + (size.map { ", \($0) bytes" } ?? "") + (dontFragment ? ", don't fragment" : "")
      + timeText
      + (minimumLoss.map { ", \($0)…\(maximumLoss)% lost" } ?? "")
  }
  private var timeText: String {
    switch (minimumRoundTrip, maximumRoundTrip) {
    case (let least?, let most?): ", \(least) to \(most) µs"
    case (let least?, nil): ", at least \(least) µs"
    default: ""
    }
  }
  package var references: CheckReferences {
    CheckReferences(
      vms: [from], paths: [(from, to)],
      numbers: [
        ("count", count, 1...1000), ("loss", maximumLoss, 0...100), ("size", size ?? 56, 0...65_507),
        ("least loss", minimumLoss ?? 0, 0...100),
        ("within (µs)", maximumRoundTrip ?? 1, 1...60_000_000),
        ("at least (µs)", minimumRoundTrip ?? 0, 0...60_000_000),
      ],
      idleness: maximumLoss == 100 && maximumRoundTrip == nil && minimumLoss ?? 0 == 0
        && minimumRoundTrip == nil
        ? ("a ping that may lose everything passes whatever happens", "write loss: 99 or less") : nil)
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

extension Duration {
  /// Rounded down, and bounded so that any duration fits.
  var wholeMicroseconds: Int {
    let (seconds, attoseconds) = components
    return Int(min(max(seconds, -1_000_000), 1_000_000)) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
  }
}
