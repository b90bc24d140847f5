/// Nobody answers echo requests, although the sender's own interface is up: `ping -c 3 TARGET` gets no reply.
///
///     Unreachable(from: tenant, to: database)
///     Unreachable(from: web, to: db, size: 1473, dontFragment: true)
public struct Unreachable: Checks, CheckValue {
  package static let kind = "unreachable"

  package var from: String
  package var to: Endpoint
  /// In bytes; 56 when absent.
  package var size: Int?
  package var dontFragment: Bool
  /// In milliseconds.
  package var timeout: Int
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that sends.
  ///   - to: A VM, a VM on one of its networks, or an address.
  ///   - size: Payload bytes after the ICMP header (8 bytes) and the IP header (20 or 40 bytes): ping's `-s`; 56 when
  ///     absent.
  ///   - dontFragment: Forbids fragmentation on the way: ping's `-M do`.
  ///   - waiting: How long to wait for an answer that must not come, from a millisecond to a minute.
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
