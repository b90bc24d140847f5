/// The target answers echo requests: `ping -c COUNT TARGET` in the sender's namespace.
///
///     Ping(from: web, to: db)
///     Ping(from: web, to: db.on(back), size: 1472, dontFragment: true)
///     Ping(from: web, to: "10.0.2.10", count: 100, loss: 5, within: .milliseconds(2))
public struct Ping: Checks, CheckValue {
  package static let kind = "ping"

  package var from: String
  package var to: Endpoint
  package var count: Int
  /// In bytes; 56 when absent.
  package var size: Int?
  package var dontFragment: Bool
  /// In percent.
  package var maximumLoss: Int
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

  package var title: String {
    "ping \(from) → \(to)" + (size.map { ", \($0) bytes" } ?? "") + (dontFragment ? ", don't fragment" : "")
  }
  package var references: CheckReferences {
    CheckReferences(
      vms: [from], paths: [(from, to)],
      numbers: [
        ("count", count, 1...1000), ("loss", maximumLoss, 0...100), ("size", size ?? 56, 0...65_507),
        ("within (µs)", maximumRoundTrip ?? 1, 1...60_000_000),
      ],
      idleness: maximumLoss == 100 && maximumRoundTrip == nil
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
