/// A VM's neighbour table has the target's address with the MAC that the lab declares: `ip neigh show`.
///
///     Neighbour(of: web, for: db)
public struct Neighbour: Checks, CheckValue {
  package static let kind = "neighbour"

  package var from: String
  package var to: Endpoint
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM whose table it is. It pings the target first.
  ///   - to: A VM, a VM on one of its networks, or a VM's address.
  public init(
    of from: some NodeReference, for to: some EndpointReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "neighbour table of \(from) has \(to)'s MAC" }
  package var references: CheckReferences { CheckReferences(vms: [from], paths: [(from, to)]) }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
