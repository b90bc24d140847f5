/// A TCP port of one VM is reached from another: `nc -z TARGET PORT`. Somebody must listen there.
///
/// To prove the network where no server runs, the check brings a listener: then bytes go both ways, as with `nc -l PORT`
/// there and `nc TARGET PORT` here.
///
///     TCP(from: web, to: db, port: 5432)
///     TCP(from: web, to: db, port: 5432, listening: .byCheck)
public struct TCP: Checks, CheckValue {
  package static let kind = "tcp"

  /// Who listens on the port, if not a server that runs in the VM.
  public enum Listener: String, Hashable, Codable, Sendable {
    /// The check itself, while it runs; unless a server in the VM does already.
    case byCheck
  }

  package var from: String
  package var to: Endpoint
  package var port: Int
  package var listening: Listener?
  package var location: SourceLocation

  /// - Parameters:
  ///   - from: The VM that connects.
  ///   - to: A VM, a VM on one of its networks, or an address.
  ///   - port: From 1 to 65535.
  ///   - listening: Who listens there; by default a server in the VM, without which the check fails.
  public init(
    from: some NodeReference, to: some EndpointReference, port: Int, listening: Listener? = nil,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.port = port
    self.listening = listening
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "tcp \(from) → \(to) port \(port)" }
  package var references: CheckReferences {
    CheckReferences(vms: [from], paths: [(from, to)], numbers: [("port", port, 1...65_535)])
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
