/// A TCP port of one VM is reached from another, and bytes go both ways: `nc -l PORT` there, `nc TARGET PORT` here.
///
/// The check listens on the port itself, unless something in the VM does already.
///
///     TCP(from: web, to: db, port: 5432)
public struct TCP: Checks, CheckValue {
  package static let kind = "tcp"

  package var from: String
  package var to: Endpoint
  package var port: Int
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that connects.
  ///   - to: A VM, a VM on one of its networks, or an address.
  ///   - port: From 1 to 65535.
  public init(
    from: some NodeReference, to: some EndpointReference, port: Int,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.port = port
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "tcp \(from) → \(to) port \(port)" }
  package var references: CheckReferences {
    CheckReferences(vms: [from], paths: [(from, to)], numbers: [("port", port, 1...65_535)])
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
