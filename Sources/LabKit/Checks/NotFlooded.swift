/// A third VM sees none of the unicast between two others, but does see a broadcast of the same sender:
/// `tcpdump -i eth0 'arp or icmp'` in the third VM during `ping TARGET`.
///
///     NotFlooded(from: web, to: db, observer: cache)
public struct NotFlooded: Checks, CheckValue {
  package static let kind = "notFlooded"

  package var from: String
  package var to: Endpoint
  package var observer: String
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: A VM, a VM on one of its networks, or an address.
  ///   - observer: A third VM on the same network.
  public init(
    from: some NodeReference, to: some EndpointReference, observer: some NodeReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.observer = observer.nodeName
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "unicast \(from) → \(to) is not flooded to \(observer)" }
  package var references: CheckReferences {
    CheckReferences(vms: [from, observer], paths: [(from, to)], bystanders: [observer])
  }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
