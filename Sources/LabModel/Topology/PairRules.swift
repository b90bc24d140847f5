import LabKit
import Values

/// Which addresses each VM of a lab can reach directly, as its networks and routes have it.
package struct PairRules: Sendable {
  /// One way for one VM to send to an address of another.
  package struct Path: Hashable, Sendable {
    /// Indices into the lab's VMs.
    package var sender: Int
    package var target: Int
    package var address: IPAddress
    /// The interface by which the sender's routes lead to the address; `nil` where they do not.
    package var outgoing: String?
    /// The address that the sender sends from.
    package var source: IPAddress?
    /// The interface by which the target's routes lead back; `nil` where they do not.
    package var incoming: String?
    /// Whether an answer must come; if not, none may.
    package var isAllowed: Bool
  }

  /// The VMs that are judged: indices into the lab's VMs.
  package let vms: [Int]
  private let network: Int?
  private let nodes: [Node]
  /// Who has an address on a network: there, an answer from it says nothing about anybody else.
  private let owners: Set<NetworkAddress>

  private struct NetworkAddress: Hashable {
    var network: Int
    var address: IPAddress
  }

  /// A VM as its routes see it.
  fileprivate struct Node {
    var ports: [Port]
    /// The most specific first; among equals the first declared, which the kernel also takes.
    var routes: [(destination: IPPrefix, port: Int, isDirect: Bool)]
  }

  fileprivate struct Port {
    var network: Int
    var device: String
    var addresses: [IPPrefix]
  }

  /// - Parameters:
  ///   - vms: the names of the VMs to judge; all when absent.
  ///   - network: judges only ports on it.
  package init(_ lab: ResolvedLab, vms names: [String]? = nil, on network: String? = nil) {
    let wanted = names.map(Set.init)
    self.network = network.flatMap { name in lab.networks.firstIndex { $0.name == name } }
    var nodes: [Node] = []
    var owners: Set<NetworkAddress> = []
    for vm in lab.vms {
      let ports = vm.allPorts
      for port in ports {
        for address in port.addresses {
          owners.insert(NetworkAddress(network: port.network, address: address.address))
        }
      }
      nodes.append(Node(ports))
    }
    self.nodes = nodes
    self.owners = owners
    let onNetwork = self.network
    vms = lab.vms.indices.filter { index in
      wanted?.contains(lab.vms[index].name) != false
        && nodes[index].ports.contains { port in
          !port.addresses.isEmpty && (onNetwork == nil || port.network == onNetwork)
        }
    }
  }

  /// All that one VM can send to another, one path for each address in a family that the sender has.
  ///
  /// What could not be judged is left out: addresses behind a gateway, those that the sender has itself, and those that
  /// somebody else on the sender's network has as well.
  package func paths(from sender: Int, to target: Int) -> [Path] {
    guard sender != target else { return [] }
    var paths: [Path] = []
    for port in nodes[target].ports where network == nil || port.network == network {
      for address in port.addresses {
        if let path = path(from: sender, to: target, port, address.address) { paths.append(path) }
      }
    }
    return paths
  }

  private func path(from sender: Int, to target: Int, _ incoming: Port, _ address: IPAddress) -> Path? {
    let node = nodes[sender]
    var hasFamily = false
    for port in node.ports where network == nil || port.network == network {
      for own in port.addresses {
        if own.address == address { return nil }
        if own.family == address.family { hasFamily = true }
      }
    }
    guard hasFamily else { return nil }
    var path = Path(sender: sender, target: target, address: address, isAllowed: false)
    guard let route = node.route(to: address) else { return path }
    guard route.isDirect else { return nil }
    let outgoing = node.ports[route.port]
    path.outgoing = outgoing.device
    path.source = outgoing.source(for: address)
    guard let answers = answers(target, for: address, of: incoming, on: outgoing.network) else { return nil }
    guard answers, let source = path.source, let back = nodes[target].route(to: source) else { return path }
    guard back.isDirect else { return nil }
    let returning = nodes[target].ports[back.port]
    path.incoming = returning.device
    return self.answers(sender, for: source, of: outgoing, on: returning.network).map {
      path.isAllowed = $0
      return path
    }
  }

  /// Whether a VM answers on a network when somebody asks who has an address of one of its ports; `nil` when somebody
  /// else on that network may answer in its place.
  ///
  /// On IPv4, Linux answers for all of its addresses on every interface; on IPv6, only for the interface's own.
  private func answers(_ vm: Int, for address: IPAddress, of port: Port, on network: Int) -> Bool? {
    if port.network == network { return true }
    if owners.contains(NetworkAddress(network: network, address: address)) { return nil }
    return address.family == .ipv4 && nodes[vm].ports.contains { $0.network == network }
  }
}

extension PairRules.Node {
  fileprivate init(_ ports: [ResolvedPort]) {
    self.ports = ports.map {
      PairRules.Port(network: $0.network, device: $0.device, addresses: $0.addresses)
    }
    var routes: [(destination: IPPrefix, port: Int, isDirect: Bool)] = []
    for (index, port) in ports.enumerated() {
      for address in port.addresses { routes.append((address.subnet, index, true)) }
      for route in port.routes { routes.append((route.destination, index, route.gateway == nil)) }
    }
    // `sort` keeps no order among equals, so the position decides there.
    self.routes = routes.enumerated()
      .sorted { ($1.element.destination.length, $0.offset) < ($0.element.destination.length, $1.offset) }
      .map(\.element)
  }

  fileprivate func route(to address: IPAddress) -> (destination: IPPrefix, port: Int, isDirect: Bool)? {
    routes.first { $0.destination.contains(address) }
  }
}

extension PairRules.Port {
  /// The address that the kernel sends from: one of the target's subnet, else the port's first of that family.
  fileprivate func source(for target: IPAddress) -> IPAddress? {
    (addresses.first { $0.contains(target) } ?? addresses.first { $0.family == target.family })?.address
  }
}
