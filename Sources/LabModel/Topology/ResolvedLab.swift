import LabKit
import Values

/// A lab whose names are known, whose addresses, MACs, port ids and tags are chosen, and in which no mistake was found.
///
/// It still says nothing about kernel objects: those are a datapath's business.
package struct ResolvedLab: Sendable {
  /// The lab as its author wrote it.
  package let document: LabDocument
  package let networks: [ResolvedNetwork]
  /// All nodes, in the order of ``NodeKinds``: hosts first.
  package let nodes: [ResolvedNode]
  package let hosts: [ResolvedNode]
  package let vms: [ResolvedNode]
  /// In an order in which each comes after those that it needs.
  package let services: [Service]
  /// What is doubtful in it, though it can be brought up.
  package internal(set) var warnings: [Diagnostic] = []

  package var name: String { document.name }
  package var datapath: Datapath { document.datapath }
  package var checks: [Check] { document.checks }

  /// The `ip netns` name of a node: `two-vms.focal-1`.
  package func namespace(of node: String) -> String { "\(name).\(node)" }

  package func node(_ name: String) -> ResolvedNode? { index[name].map { nodes[$0] } }
  package func vm(_ name: String) -> ResolvedNode? { node(name).flatMap { $0.declaration is VM ? $0 : nil } }

  private let index: [String: Int]

  init(
    _ document: LabDocument, networks: [ResolvedNetwork], nodes: [ResolvedNode], services: [Service]
  ) {
    self.services = services
    self.document = document
    self.networks = networks
    self.nodes = nodes
    hosts = nodes.filter { $0.declaration is Host }
    vms = nodes.filter { $0.declaration is VM }
    index = Dictionary(nodes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}

package struct ResolvedNetwork: Sendable {
  package var name: String
  /// Neutron's network UUID.
  package var id: String
  package var subnets: [IPPrefix]
  /// In bytes.
  package var mtu: Int
  /// Of each of its ports that has none of its own.
  package var impairment: Impairment?
  package var location: SourceLocation
}

/// A node of any kind.
package struct ResolvedNode: Sendable {
  package var declaration: any NodeModel
  /// The host it runs on; a host's own name.
  package var host: String
  package var ports: [ResolvedPort]
  /// On a host: the VLAN tag of each network that has a port there, by index into the lab's networks.
  ///
  /// A tag belongs to a network on a host, never to a subnet: the first network gets 1, the next 2, and so on.
  package var tags: [Int: Int] = [:]

  package var name: String { declaration.name }
  /// What it calls itself.
  package var hostname: String { (declaration as? VM)?.hostname ?? name }
  package var location: SourceLocation { declaration.location }

  /// Ports and their subports, in order.
  package var allPorts: [ResolvedPort] { ports.flatMap { [$0] + $0.subports } }
}

package struct ResolvedPort: Sendable {
  /// Neutron's port UUID.
  package var id: String
  /// The interface in the VM: `eth0`, or `eth0.100` for a subport.
  package var device: String
  /// Index into the lab's networks.
  package var network: Int
  package var mac: MACAddress
  package var addresses: [IPPrefix]
  /// In bytes.
  package var mtu: Int
  package var routes: [ResolvedRoute]
  /// The VLAN id inside the VM, for a subport.
  package var vlan: Int?
  package var subports: [ResolvedPort]
  /// Its own, or its network's.
  package var impairment: Impairment?
  package var location: SourceLocation

  /// What Neutron's device names end in: the first 11 characters of the port's id.
  package var shortID: String { String(id.prefix(11)) }
}

package struct ResolvedRoute: Sendable, Hashable {
  package var destination: IPPrefix
  /// `nil` for a destination on the link itself.
  package var gateway: IPAddress?
  package var location: SourceLocation
}

/// Why an endpoint has no address from a sender's point of view.
package struct NoAddress: Error, Sendable, CustomStringConvertible {
  package var description: String
}

extension ResolvedLab {
  /// The address that `sender` uses to reach `endpoint`: on the named network, else on the first one both share, else the endpoint's first.
  package func address(of endpoint: Endpoint, from sender: String) throws(NoAddress) -> IPAddress {
    guard let target = vm(endpoint.name) else {
      if let address = IPAddress(endpoint.name) { return address }
      throw NoAddress(description: "there is no VM '\(endpoint.name)'")
    }
    let ports = target.allPorts.filter { !$0.addresses.isEmpty }
    if let wanted = endpoint.network {
      guard let port = ports.first(where: { networks[$0.network].name == wanted }) else {
        throw NoAddress(description: "VM '\(target.name)' has no address on network '\(wanted)'")
      }
      return port.addresses[0].address
    }
    let shared = Set(vm(sender)?.allPorts.map(\.network) ?? [])
    guard let port = ports.first(where: { shared.contains($0.network) }) ?? ports.first else {
      throw NoAddress(description: "VM '\(target.name)' has no address")
    }
    return port.addresses[0].address
  }

  /// The port that owns an address, with its VM.
  package func port(owning address: IPAddress) -> (vm: ResolvedNode, port: ResolvedPort)? {
    for vm in vms {
      for port in vm.allPorts where port.addresses.contains(where: { $0.address == address }) {
        return (vm, port)
      }
    }
    return nil
  }
}
