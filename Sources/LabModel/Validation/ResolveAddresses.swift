import LabKit
import Values

extension Resolver {
  /// Addresses: those given first, so that none of them is chosen for another port; then the free ones in order.
  mutating func resolveAddresses() {
    var pools = AddressPools(networks.map(\.subnets))
    for declared in declaredPorts {
      let network = port(at: declared.path).network
      for text in declared.addresses {
        guard let address = address(text, on: network, at: declared.owner.location) else { continue }
        if let other = pools.claim(address.address, on: network, by: declared.owner) {
          report(
            "\(address.address) is already the address of \(described(other, from: declared.owner.location))",
            at: declared.owner.location, fix: "leave it out, or write another one")
          continue
        }
        withPort(at: declared.path) { $0.addresses.append(address) }
      }
    }
    var exhausted: [Shortage: (ports: Int, location: SourceLocation)] = [:]
    for declared in declaredPorts where declared.addresses.isEmpty {
      let network = port(at: declared.path).network
      for family in [IPAddress.Family.ipv4, .ipv6] {
        guard networks[network].subnets.contains(where: { $0.family == family }) else { continue }
        if let address = pools.next(family, on: network, by: declared.owner) {
          withPort(at: declared.path) { $0.addresses.append(address) }
        } else {
          exhausted[Shortage(network: network, family: family), default: (0, declared.owner.location)]
            .ports += 1
        }
      }
    }
    for network in networks.indices {
      for family in [IPAddress.Family.ipv4, .ipv6] {
        guard let (count, location) = exhausted[Shortage(network: network, family: family)] else { continue }
        let subnets = networks[network].subnets.filter { $0.family == family }.map(\.description)
        report(
          "no \(family == .ipv4 ? "IPv4" : "IPv6") address is left in \(subnets.joined(separator: ", ")) of network '\(networks[network].name)' for \(count) port\(count == 1 ? "" : "s")",
          at: location, fix: "give the network a larger subnet, or another one")
      }
    }
  }

  /// A subnet leads out of one network: the kernel takes the first of two that are alike, whoever is meant.
  mutating func checkSubnetsOfNodes() {
    var owners: [NodeSubnet: (network: Int, owner: Owner)] = [:]
    for declared in declaredPorts {
      let port = port(at: declared.path)
      for subnet in port.addresses.map(\.subnet).uniqued() {
        let key = NodeSubnet(node: declared.path.node, subnet: subnet)
        guard let other = owners[key] else {
          owners[key] = (port.network, declared.owner)
          continue
        }
        if other.network == port.network { continue }
        report(
          "\(subnet) of \(declared.owner.what) is also the subnet of \(described(other.owner, from: declared.owner.location)), on another network",
          at: declared.owner.location, fix: "give one of the two networks another subnet")
      }
    }
  }

  private struct NodeSubnet: Hashable {
    var node: Int
    var subnet: IPPrefix
  }

  private struct Shortage: Hashable {
    var network: Int
    var family: IPAddress.Family
  }

  private mutating func address(_ text: String, on network: Int, at location: SourceLocation) -> IPPrefix? {
    let resolved = networks[network]
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress($0) }), parts.count <= 2 else {
      let example = resolved.subnets.first.map { " such as \($0.firstHost)" } ?? ""
      report("'\(text)' is not an IP address", at: location, fix: "leave it out, or write one\(example)")
      return nil
    }
    guard let subnet = resolved.subnets.first(where: { $0.contains(address) }) else {
      if !unclearNetworks.contains(network) { reportStray(address, on: resolved, at: location) }
      return nil
    }
    if parts.count == 2, parts[1] != String(subnet.length) {
      report(
        "'\(text)' has another prefix length than its subnet \(subnet)", at: location, fix: "write \(address)"
      )
      return nil
    }
    let isBroadcast = address == subnet.broadcast
    if isBroadcast || address == subnet.networkAddress {
      report(
        "\(address) is the \(isBroadcast ? "broadcast" : "network") address of \(subnet)", at: location,
        fix: "write one from \(subnet.firstHost) to \(subnet.lastHost)")
      return nil
    }
    return IPPrefix(address: address, length: subnet.length)
  }

  private mutating func reportStray(
    _ address: IPAddress, on network: ResolvedNetwork, at location: SourceLocation
  ) {
    let place = described(Owner(what: "'\(network.name)'", location: network.location), from: location)
    guard let first = network.subnets.first else {
      return report(
        "\(address) is in no subnet: network \(place), has none", at: location,
        fix: "give the network a subnet: Network(\"\(network.name)\", subnet: \"\(address.likelySubnet)\")")
    }
    let all = network.subnets.map(\.description).joined(separator: ", ")
    report(
      network.subnets.count == 1
        ? "\(address) is not in \(all), the subnet of \(place)"
        : "\(address) is in no subnet of \(place): \(all)",
      at: location, fix: "write one from \(first.firstHost) to \(first.lastHost), or leave it out")
  }
}

extension IPPrefix {
  /// The first and the last address that an interface can have.
  fileprivate var firstHost: IPAddress {
    IPAddress(family: family, value: subnet.address.value + (networkAddress == nil ? 0 : 1))
  }
  fileprivate var lastHost: IPAddress {
    IPAddress(family: family, value: lastAddress.value - (broadcast == nil ? 0 : 1))
  }
}

extension IPAddress {
  /// The subnet of the usual size around an address.
  var likelySubnet: IPPrefix { IPPrefix(address: self, length: family == .ipv4 ? 24 : 64).subnet }
}
