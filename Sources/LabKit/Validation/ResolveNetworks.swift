extension Resolver {
  /// Networks: names, subnets, MTU, ids.
  mutating func resolveNetworks() {
    var ids: [String: ResolvedNetwork] = [:]
    for network in document.networks {
      if let problem = NameRule.problem(ofNetwork: network.name) {
        report("the network's name '\(network.name)' \(problem)", at: network.location)
      }
      if let other = networkIndex[network.name] {
        report(
          "'\(network.name)' is already the name of the network \(declared(networks[other].location, from: network.location))",
          at: network.location)
        continue
      }
      let resolved = ResolvedNetwork(
        name: network.name, id: networkID(of: network), subnets: subnets(of: network), mtu: network.mtu,
        location: network.location)
      if let other = ids[resolved.id] {
        report(
          "network id \(resolved.id) is already that of '\(other.name)', \(declared(other.location, from: network.location))",
          at: network.location)
      }
      ids[resolved.id] = resolved
      checkMTU(
        network.mtu, hasIPv6: resolved.subnets.contains { $0.family == .ipv6 },
        of: "network '\(network.name)'",
        at: network.location)
      networkIndex[network.name] = networks.count
      networks.append(resolved)
    }
  }

  private mutating func networkID(of network: Network) -> String {
    let derived = ObjectID.derived(from: "network", document.name, network.name)
    guard let text = network.id else { return derived }
    guard let id = ObjectID.parse(text) else {
      report(
        "network id '\(text)' is not a UUID", at: network.location,
        fix: "leave it out, or write one such as \(derived)")
      return derived
    }
    return id
  }

  private mutating func subnets(of network: Network) -> [IPPrefix] {
    var subnets: [IPPrefix] = []
    for text in network.subnets {
      guard let subnet = subnet(text, of: network) else { continue }
      if let other = subnets.first(where: { $0.overlaps(subnet) }) {
        report("subnet \(subnet) overlaps \(other) of the same network", at: network.location)
        continue
      }
      subnets.append(subnet)
    }
    return subnets
  }

  private mutating func subnet(_ text: String, of network: Network) -> IPPrefix? {
    guard let prefix = IPPrefix(text) else {
      let address = text.split(separator: "/", omittingEmptySubsequences: false).first.flatMap {
        IPAddress($0)
      }
      report(
        address == nil ? "'\(text)' is not a subnet" : "'\(text)' has no valid prefix length",
        at: network.location,
        fix: address.map { "write \(IPPrefix(address: $0, length: $0.family == .ipv4 ? 24 : 64).subnet)" }
          ?? "write ADDRESS/LENGTH, such as 192.168.21.0/24")
      return nil
    }
    if prefix.length == 0 {
      report("subnet \(prefix): prefix length 0 covers every address", at: network.location)
      return nil
    }
    if prefix.subnet != prefix {
      report(
        "\(prefix) is an address on a subnet, not a subnet", at: network.location,
        fix: "write \(prefix.subnet)")
      return prefix.subnet
    }
    if prefix.address.isMulticast || prefix.address.isLoopback {
      let kind = prefix.address.isMulticast ? "multicast" : "loopback"
      report(
        "subnet \(prefix) is in the \(kind) range, from which no interface has an address",
        at: network.location)
      return nil
    }
    return prefix
  }

  /// 68 is the least that IPv4 needs (RFC 791), 1280 what IPv6 needs (RFC 8200), 65535 the most that a veth takes.
  mutating func checkMTU(_ mtu: Int, hasIPv6: Bool, of what: String, at location: SourceLocation) {
    if !(68...65_535).contains(mtu) {
      report("MTU \(mtu) of \(what) is not in 68…65535", at: location)
    } else if hasIPv6, mtu < 1280 {
      report("MTU \(mtu) of \(what) is below the 1280 bytes that IPv6 needs", at: location)
    }
  }
}
