import LabKit
import Values

extension Resolver {
  /// Networks: names, subnets, MTU, ids.
  mutating func resolveNetworks() {
    var ids: [String: Owner] = [:]
    for network in document.networks {
      if let problem = NameRule.network.problem(of: network.name) {
        report(
          "the network's name '\(network.name)' \(problem)", at: network.location,
          fix: NameRule.network.fix(for: network.name))
      }
      if let other = networkIndex[network.name] {
        let owner = Owner(what: "a network", location: networks[other].location)
        report(
          "'\(network.name)' is already the name of \(described(owner, from: network.location))",
          at: network.location,
          fix: "rename one of them; to name one network twice, keep it in a `let` and use that")
        continue
      }
      let subnets = subnets(of: network)
      if subnets.count < network.subnets.count { unclearNetworks.insert(networks.count) }
      let id = networkID(of: network)
      let owner = Owner(what: "network '\(network.name)'", location: network.location)
      if let other = ids.updateValue(owner, forKey: id) {
        report(
          "network id \(id) is already that of \(described(other, from: network.location))",
          at: network.location,
          fix: "leave it out, or write another one")
      }
      let mtu = checkedMTU(
        network.mtu, hasIPv6: subnets.contains { $0.family == .ipv6 }, of: "network '\(network.name)'",
        at: network.location)
      networkIndex[network.name] = networks.count
      networks.append(
        ResolvedNetwork(
          name: network.name, id: id, subnets: subnets, mtu: mtu,
          impairment: checked(network.impairment), location: network.location))
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
        report(
          "subnet \(subnet) overlaps \(other) of the same network '\(network.name)'", at: network.location,
          fix: subnet == other ? "write it once" : "choose another range, or put it on a network of its own")
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
        fix: address.map { "write \($0.likelySubnet)" }
          ?? "write ADDRESS/LENGTH, such as 192.168.21.0/24")
      return nil
    }
    if prefix.length == 0 {
      report(
        "subnet \(prefix) covers every address there is", at: network.location,
        fix: "write \(prefix.family == .ipv4 ? "10.0.0.0/24" : "fd00::/64"), for instance")
      return nil
    }
    if prefix.subnet != prefix {
      report(
        "\(prefix) is an address on a subnet, not a subnet", at: network.location,
        fix: "write \(prefix.subnet)")
      return prefix.subnet
    }
    if let (range, kind) = Self.unusableRanges.first(where: { $0.range.overlaps(prefix) }) {
      report(
        "subnet \(prefix) overlaps \(range), \(kind)", at: network.location,
        fix: "write \(prefix.family == .ipv4 ? "10.0.0.0/24" : "fd00::/64"), for instance")
      return nil
    }
    return prefix
  }

  /// Where no interface can have an address of a subnet.
  private static let unusableRanges = [
    ("0.0.0.0/8", "which stands for this network"), ("127.0.0.0/8", "the loopback range"),
    ("224.0.0.0/4", "the multicast range"), ("::/128", "the unspecified address"),
    ("::1/128", "the loopback address"),
    ("fe80::/10", "the link-local range, in which each interface has an address anyway"),
    ("ff00::/8", "the multicast range"),
  ].compactMap { text, kind in IPPrefix(text).map { (range: $0, kind: kind) } }

  /// The MTU if it can be used, or else one that can, so that a mistake is reported once.
  ///
  /// 68 is the least that IPv4 needs (RFC 791), 1280 what IPv6 needs (RFC 8200), 65535 the most that a veth takes.
  mutating func checkedMTU(_ mtu: Int, hasIPv6: Bool, of what: String, at location: SourceLocation) -> Int {
    let range = (hasIPv6 ? 1280 : 68)...65_535
    if !(68...65_535).contains(mtu) {
      report("MTU \(mtu) of \(what) is not in 68…65535", at: location)
    } else if !range.contains(mtu) {
      report(
        "MTU \(mtu) of \(what) is less than the 1280 bytes that IPv6 needs", at: location,
        fix: "write 1280 or more, or leave out the IPv6 subnet")
    }
    return min(max(mtu, range.lowerBound), range.upperBound)
  }
}
