/// The target is a given number of hops away: `traceroute -n TARGET`. One hop means no router in between.
///
///     Traceroute(from: web, to: db)
///     Traceroute(from: web, to: far).hops(2)
public struct Traceroute: Checks, CheckValue {
  package static let kind = "traceroute"

  package var from: String
  package var to: Endpoint
  package var hopCount: Int
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: A VM, a VM on one of its networks, or an address.
  public init(
    from: some NodeReference, to: some EndpointReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.hopCount = 1
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// States how many hops away the target is, from 1 to 64. Without it, one.
  public func hops(_ count: Int) -> Traceroute {
    var check = self
    check.hopCount = count
    return check
  }

  package var title: String { "traceroute \(from) → \(to) takes \(hopCount) hop\(hopCount == 1 ? "" : "s")" }
  package var references: CheckReferences {
    CheckReferences(vms: [from], paths: [(from, to)], numbers: [("hops", hopCount, 1...64)])
  }
  /// All that ask a node for ICMP errors share what it is willing to send in a second.
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
