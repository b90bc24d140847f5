import LabKit

extension Resolver {
  /// The nodes with all that was found, each name once; on a host the tags of its networks.
  func resolvedNodes() -> [ResolvedNode] {
    var tags: [Int: [Int: Int]] = [:]
    for declared in declaredPorts {
      guard let host = nodeHosts[declared.path.node] else { continue }
      let network = port(at: declared.path).network
      if tags[host]?[network] == nil { tags[host, default: [:]][network] = (tags[host]?.count ?? 0) + 1 }
    }
    return nodes.indices.compactMap { index in
      let node = nodes[index]
      guard !node.standsOnHost || placedIndex[node.name] == index else { return nil }
      let host = node.standsOnHost ? nodeHosts[index].map { nodes[$0].name } ?? "" : node.name
      return ResolvedNode(
        declaration: node.model, host: host, ports: ports[index], tags: tags[index] ?? [:])
    }
  }

  /// Hosts: the limits of switches, and device names that would collide.
  mutating func checkHosts(of lab: ResolvedLab) {
    let ports = Dictionary(grouping: lab.nodes.filter { !$0.ports.isEmpty }, by: \.host)
      .mapValues { $0.flatMap(\.allPorts) }
    for host in lab.hosts {
      let ports = ports[host.name] ?? []
      for port in ports {
        for subport in port.subports {
          let owner = Owner(what: "subport \(subport.device)", location: subport.location)
          claimDevice(DeviceName.tapSubinterface(of: port, vlan: subport.vlan ?? 0), on: host, by: owner)
        }
      }
      datapath.wiring.check(host, ports: ports, in: &self)
    }
  }
}
