extension Resolver {
  /// Addresses: those given first, so that none of them is chosen for another port; then the free ones in order.
  mutating func resolveAddresses() {
    var pools = AddressPools(networks.map(\.subnets))
    forEachDeclaredPort { resolver, path, declared in
      let network = resolver.port(at: path).network
      for text in declared.addresses {
        guard let address = resolver.address(text, on: network, at: declared.location) else { continue }
        if let other = pools.claim(address.address, on: network, by: declared.location) {
          resolver.report(
            "\(address.address) is already the address of the port \(resolver.declared(other, from: declared.location))",
            at: declared.location)
          continue
        }
        resolver.withPort(at: path) { $0.addresses.append(address) }
      }
    }
    forEachDeclaredPort { resolver, path, declared in
      guard declared.addresses.isEmpty else { return }
      let network = resolver.port(at: path).network
      for family in [IPAddress.Family.ipv4, .ipv6] {
        guard resolver.networks[network].subnets.contains(where: { $0.family == family }) else { continue }
        guard let address = pools.next(family, on: network, by: declared.location) else {
          let subnets = resolver.networks[network].subnets.filter { $0.family == family }.map(\.description)
          resolver.report(
            "network '\(resolver.networks[network].name)' has no free \(family == .ipv4 ? "IPv4" : "IPv6") address left in \(subnets.joined(separator: ", "))",
            at: declared.location, fix: "use a larger subnet, or add another one")
          continue
        }
        resolver.withPort(at: path) { $0.addresses.append(address) }
      }
    }
  }

  private mutating func address(_ text: String, on network: Int, at location: SourceLocation) -> IPPrefix? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress($0) }), parts.count <= 2 else {
      report("'\(text)' is not an IP address", at: location)
      return nil
    }
    let resolved = networks[network]
    let place = "'\(resolved.name)', \(declared(resolved.location, from: location))"
    guard let subnet = resolved.subnets.first(where: { $0.contains(address) }) else {
      switch resolved.subnets.count {
      case 0: report("\(address) has no subnet: network \(place) has none", at: location)
      case 1: report("\(address) is not in \(resolved.subnets[0]), the subnet of \(place)", at: location)
      default:
        let all = resolved.subnets.map(\.description).joined(separator: ", ")
        report("\(address) is in no subnet of \(place) (\(all))", at: location)
      }
      return nil
    }
    if parts.count == 2, parts[1] != String(subnet.length) {
      report(
        "'\(text)': the prefix length is that of the subnet, \(subnet)", at: location, fix: "write \(address)"
      )
      return nil
    }
    if address == subnet.networkAddress {
      report("\(address) is the address of the subnet \(subnet) itself", at: location)
      return nil
    }
    if address == subnet.broadcast {
      report("\(address) is the broadcast address of \(subnet)", at: location)
      return nil
    }
    return IPPrefix(address: address, length: subnet.length)
  }
}

/// Where a port stands: its VM, its place among the VM's ports, and its place among that port's subports.
struct PortPath: Hashable {
  var vm: Int
  var port: Int
  var subport: Int?
}

/// The part of a declaration that ports and subports share.
struct DeclaredPort {
  var addresses: [String]
  var routes: [Route]
  var location: SourceLocation
}

extension Resolver {
  /// Visits every port and subport that was resolved, with its declaration, in the document's order.
  mutating func forEachDeclaredPort(_ body: (inout Resolver, PortPath, DeclaredPort) -> Void) {
    var next = [Int](repeating: 0, count: ports.count)
    for port in document.ports {
      guard let vm = vmIndex[port.vm], next[vm] < ports[vm].count,
        ports[vm][next[vm]].location == port.location,
        networkIndex[port.network] == ports[vm][next[vm]].network
      else { continue }
      let index = next[vm]
      next[vm] += 1
      body(
        &self, PortPath(vm: vm, port: index),
        DeclaredPort(addresses: port.addresses, routes: port.routes, location: port.location))
      for (position, resolved) in ports[vm][index].subports.enumerated() {
        guard let subport = port.subports.first(where: { $0.vlan == resolved.vlan }) else { continue }
        body(
          &self, PortPath(vm: vm, port: index, subport: position),
          DeclaredPort(addresses: subport.addresses, routes: subport.routes, location: subport.location))
      }
    }
  }

  func port(at path: PortPath) -> ResolvedPort {
    let port = ports[path.vm][path.port]
    return path.subport.map { port.subports[$0] } ?? port
  }

  mutating func withPort(at path: PortPath, _ body: (inout ResolvedPort) -> Void) {
    if let subport = path.subport {
      body(&ports[path.vm][path.port].subports[subport])
    } else {
      body(&ports[path.vm][path.port])
    }
  }
}

/// The addresses of each network that are taken, and where the search for a free one goes on.
struct AddressPools {
  private let subnets: [[IPPrefix]]
  private var taken: [[IPAddress: SourceLocation]]
  private var cursors: [[UInt128]]

  init(_ subnets: [[IPPrefix]]) {
    self.subnets = subnets
    self.taken = Array(repeating: [:], count: subnets.count)
    // The first address of a subnet is its gateway's in Neutron, so the search begins behind it where there is room.
    self.cursors = subnets.map {
      $0.map { $0.networkAddress == nil ? 0 : $0.family.width - $0.length <= 2 ? 1 : 2 }
    }
  }

  /// Takes an address; gives back who has it already, if anyone does.
  mutating func claim(_ address: IPAddress, on network: Int, by location: SourceLocation) -> SourceLocation? {
    if let other = taken[network][address] { return other }
    taken[network][address] = location
    return nil
  }

  /// Takes the first free address of the network's subnets of a family; `nil` when they are exhausted.
  mutating func next(_ family: IPAddress.Family, on network: Int, by location: SourceLocation) -> IPPrefix? {
    for (index, subnet) in subnets[network].enumerated() where subnet.family == family {
      while true {
        let value = subnet.address.value + cursors[network][index]
        guard value <= subnet.lastAddress.value else { break }
        cursors[network][index] += 1
        let address = IPAddress(family: family, value: value)
        if address == subnet.broadcast || taken[network][address] != nil { continue }
        taken[network][address] = location
        return IPPrefix(address: address, length: subnet.length)
      }
    }
    return nil
  }
}
