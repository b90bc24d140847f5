/// Whom a check sends to: a VM, a VM on one of its networks, or an address as written.
///
///     Ping(from: web, to: db)
///     Ping(from: web, to: db.on(back))
///     Ping(from: web, to: "10.0.2.10")
public struct Endpoint: Hashable, Codable, Sendable, CustomStringConvertible {
  /// A VM's name or an IP address.
  package var name: String
  /// Which of the VM's networks; the first one it shares with the sender when absent.
  package var network: String?

  public var description: String { network.map { "\(name) on \($0)" } ?? name }
}

/// What a check can send to: a VM, a VM on a network, or the name or address as text.
public protocol EndpointReference {
  /// Whom it means.
  var endpoint: Endpoint { get }
}

extension Endpoint: EndpointReference {
  public var endpoint: Endpoint { self }
}
extension String: EndpointReference {
  public var endpoint: Endpoint { Endpoint(name: self) }
}
extension VM: EndpointReference {
  public var endpoint: Endpoint { Endpoint(name: name) }

  /// The VM's address on one of its networks, as the target of a check.
  public func on(_ network: some NetworkReference) -> Endpoint {
    Endpoint(name: name, network: network.networkName)
  }
}
