/// A port: where a node is plugged into a network.
package struct Port: Hashable, Codable, Sendable {
  /// The name of the node.
  package var node: String
  package var network: String
  /// The host whose braces the port stands in.
  package var host: String?
  /// Addresses as written; when there are none, one is chosen from the network's first subnet of each family.
  package var addresses: [String]
  package var mac: String?
  /// Neutron's port UUID: its first 11 characters name the devices.
  package var id: String?
  /// In bytes; the network's when absent.
  package var mtu: Int?
  /// The interface inside the VM; `eth0`, `eth1` … when absent.
  package var device: String?
  package var routes: [Route]
  package var subports: [Subport]
  /// Instead of its network's.
  package var impairment: Impairment?
  package var location: SourceLocation
}

/// A VLAN subport of a port: the VM sees it as a VLAN subinterface (`eth0.100`), outside it is on a network of its own.
public struct Subport: Hashable, Codable, Sendable {
  package var network: String
  /// The VLAN id inside the VM, 1 to 4094. It says nothing about the tag the network has on the host.
  package var vlan: Int
  package var addresses: [String]
  /// The parent's when absent, as in Neutron's trunks.
  package var mac: String?
  package var id: String?
  package var mtu: Int?
  package var routes: [Route]
  /// Instead of its network's.
  package var impairment: Impairment?
  package var location: SourceLocation
  /// The network's handle, until the port that carries the subport has declared it.
  var declaredNetwork: Network?

  private enum CodingKeys: CodingKey {
    case network, vlan, addresses, mac, id, mtu, routes, impairment, location
  }

  public init(
    on network: some NetworkReference, vlan: Int, ip: String? = nil, addresses: [String] = [],
    mac: String? = nil,
    id: String? = nil, mtu: Int? = nil, routes: [Route] = [],
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.network = network.networkName
    self.vlan = vlan
    self.addresses = (ip.map { [$0] } ?? []) + addresses
    self.mac = mac
    self.id = id
    self.mtu = mtu
    self.routes = routes
    self.location = SourceLocation(file: file, line: line, column: column)
    self.declaredNetwork = network.networkDeclaration
  }
}

/// A route inside a VM, through the port that carries it.
public struct Route: Hashable, Codable, Sendable {
  /// CIDR text, or `default`.
  package var destination: String
  /// The next hop; absent for a destination on the link itself.
  package var gateway: String?
  package var location: SourceLocation

  /// `ip route add DESTINATION via GATEWAY dev PORT`
  public static func to(
    _ destination: String, via gateway: String, file: String = #filePath, line: Int = #line,
    column: Int = #column
  ) -> Route {
    Route(
      destination: destination, gateway: gateway,
      location: SourceLocation(file: file, line: line, column: column))
  }

  /// `ip route add DESTINATION dev PORT`: the destination's addresses answer on this link.
  public static func onLink(
    _ destination: String, file: String = #filePath, line: Int = #line, column: Int = #column
  ) -> Route {
    Route(destination: destination, location: SourceLocation(file: file, line: line, column: column))
  }

  /// `ip route add default via GATEWAY dev PORT`
  public static func `default`(
    via gateway: String, file: String = #filePath, line: Int = #line, column: Int = #column
  ) -> Route {
    .to("default", via: gateway, file: file, line: line, column: column)
  }
}

/// A port in a topology, with the handles it was made from (using a handle declares it).
public struct PortPlacement: Topology {
  let declarations: [Declaration]

  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: declarations) }
}

extension VM {
  /// Plugs the VM into a network.
  ///
  /// - Parameters:
  ///   - ip: The address; chosen from the network's subnets when neither `ip` nor `addresses` is given.
  ///   - addresses: Further addresses, each in a subnet of the network.
  ///   - mac: Chosen from Neutron's base `fa:16:3e` when absent.
  ///   - id: The Neutron port's UUID; chosen from the names when absent.
  ///   - mtu: In bytes; the network's when absent.
  ///   - device: The interface in the VM; `eth0` for its first port and so on.
  ///   - subports: VLAN subinterfaces on this port, each on a network of its own.
  public func port(
    on network: some NetworkReference, ip: String? = nil, addresses: [String] = [], mac: String? = nil,
    id: String? = nil, mtu: Int? = nil, device: String? = nil, routes: [Route] = [],
    file: String = #filePath, line: Int = #line, column: Int = #column,
    @SubportsBuilder subports: () -> [Subport] = { [] }
  ) -> PortPlacement {
    var subports = subports()
    let networks = ([network.networkDeclaration] + subports.map(\.declaredNetwork)).compactMap { $0 }
    for index in subports.indices { subports[index].declaredNetwork = nil }
    let port = Port(
      node: name, network: network.networkName, addresses: (ip.map { [$0] } ?? []) + addresses, mac: mac,
      id: id,
      mtu: mtu, device: device, routes: routes, subports: subports,
      location: SourceLocation(file: file, line: line, column: column))
    return PortPlacement(declarations: networks.map { .network($0) } + [.node(Node(self)), .port(port)])
  }
}

@resultBuilder
public enum SubportsBuilder {
  public static func buildExpression(_ subport: Subport) -> [Subport] { [subport] }
  public static func buildExpression(_ subports: [Subport]) -> [Subport] { subports }
  public static func buildBlock(_ parts: [Subport]...) -> [Subport] { Array(parts.joined()) }
  public static func buildOptional(_ part: [Subport]?) -> [Subport] { part ?? [] }
  public static func buildEither(first part: [Subport]) -> [Subport] { part }
  public static func buildEither(second part: [Subport]) -> [Subport] { part }
  public static func buildArray(_ parts: [[Subport]]) -> [Subport] { Array(parts.joined()) }
}
