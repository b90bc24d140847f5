/// A network: one broadcast domain, with the subnets whose addresses its ports get.
public struct Network: Hashable, Codable, Sendable {
  package var name: String
  /// CIDR texts, as written.
  package var subnets: [String]
  /// In bytes; what every device of the network's ports gets.
  package var mtu: Int
  /// The UUID Neutron would give it; chosen from the names when absent.
  package var id: String?
  /// Of each of its ports that has none of its own.
  package var impairment: Impairment?
  package var location: SourceLocation

  /// - Parameters:
  ///   - subnet: The network's subnet in CIDR notation. A network may have none (its ports then have no addresses).
  ///   - subnets: Further subnets. They share the network's tag: a tag belongs to a network, not to a subnet.
  ///   - mtu: In bytes.
  public init(
    _ name: String, subnet: String? = nil, subnets: [String] = [], mtu: Int = 1500, id: String? = nil,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.name = name
    self.subnets = (subnet.map { [$0] } ?? []) + subnets
    self.mtu = mtu
    self.id = id
    self.location = SourceLocation(file: file, line: line, column: column)
  }
}

/// A network named by its handle or by its name.
public protocol NetworkReference {
  var networkName: String { get }
  /// The declaration, where the reference is a handle: using a handle declares it.
  var networkDeclaration: Network? { get }
}

extension Network: NetworkReference {
  public var networkName: String { name }
  public var networkDeclaration: Network? { self }
}

extension String: NetworkReference {
  public var networkName: String { self }
  public var networkDeclaration: Network? { nil }
}

extension Network: Topology {
  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: [.network(self)]) }
}
