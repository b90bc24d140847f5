/// Echo requests are answered: `ping -c COUNT -i INTERVAL TARGET` in the sender's namespace.
public struct Ping: Checks, CheckValue {
  package static let kind = "ping"

  package var from: String
  package var to: Endpoint
  /// How many requests.
  package var count: Int
  /// Payload bytes after the ICMP header (8 bytes) and the IP header (20 or 40 bytes): ping's `-s`, 56 when absent.
  package var size: Int?
  /// Forbids fragmentation on the way: ping's `-M do`.
  package var dontFragment: Bool
  /// The greatest share of lost packets that still passes, in percent.
  package var maximumLoss: Int
  /// The greatest average round-trip time that still passes, in microseconds.
  package var maximumRoundTrip: Int?
  package var location: SourceLocation

  /// - Parameters:
  ///   - loss: The greatest share of lost packets that still passes, in percent.
  ///   - within: The greatest average round-trip time that still passes.
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
      ])
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// No echo request is answered, though the sender's own interface is up and running.
public struct Unreachable: Checks, CheckValue {
  package static let kind = "unreachable"

  package var from: String
  package var to: Endpoint
  package var size: Int?
  package var dontFragment: Bool
  /// How long to wait for an answer, in milliseconds.
  package var timeout: Int
  package var location: SourceLocation

  /// - Parameter waiting: How long to wait for an answer that must not come.
  public init(
    from: some NodeReference, to: some EndpointReference, size: Int? = nil, dontFragment: Bool = false,
    waiting: Duration = .milliseconds(300),
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.size = size
    self.dontFragment = dontFragment
    self.timeout = waiting.wholeMicroseconds / 1000
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String {
    "unreachable \(from) → \(to)" + (size.map { ", \($0) bytes" } ?? "")
      + (dontFragment ? ", don't fragment" : "")
  }
  package var references: CheckReferences {
    CheckReferences(
      vms: [from], paths: [(from, to)],
      numbers: [("waiting (ms)", timeout, 1...60_000), ("size", size ?? 56, 0...65_507)])
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
