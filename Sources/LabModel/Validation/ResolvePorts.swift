import LabKit
import Values

/// Where a port stands: its node, its place among the node's ports, and its place among that port's subports.
struct PortPath: Hashable {
  var node: Int
  var port: Int
  var subport: Int?
}

/// The part of a declaration that ports and subports share.
struct DeclaredPort {
  var path: PortPath
  var addresses: [String]
  var routes: [Route]
  /// The port as messages name it, and its place.
  var owner: Owner
}

extension Resolver {
  /// Ports: their network, device, id, MAC and MTU, and the same of their subports.
  mutating func resolvePorts() {
    ports = Array(repeating: [], count: nodes.count)
    var claims = PortClaims(document)
    for port in document.ports {
      guard let node = placedIndex[port.node] else {
        report(
          "there is no VM '\(port.node)'", at: port.location,
          fix: suggestion(for: port.node, among: names(onHosts: true), what: "VM"))
        continue
      }
      guard let network = network(named: port.network, at: port.location) else { continue }
      let device = port.device ?? claims.freeDevice(of: port.node)
      if let problem = NameRule.device.problem(of: device) {
        report(
          "the interface's name '\(device)' \(problem)", at: port.location,
          fix: NameRule.device.fix(for: device) ?? "leave it out, or write eth\(ports[node].count)")
      }
      let owner = Owner(what: "\(device) of '\(port.node)'", location: port.location)
      claimDevice(device, of: port.node, owner: owner, claims: &claims)
      let key = "\(port.node) \(device)"
      var resolved = ResolvedPort(
        id: id(port.id, key: key, owner: owner, claims: &claims), device: device, network: network,
        mac: mac(port.mac, key: key, owner: owner, claims: &claims), addresses: [],
        mtu: mtu(port.mtu, on: network, within: nil, owner: owner), routes: [], vlan: nil, subports: [],
        impairment: impairment(port.impairment, on: network), location: port.location)
      let path = PortPath(node: node, port: ports[node].count)
      declaredPorts.append(
        DeclaredPort(path: path, addresses: port.addresses, routes: port.routes, owner: owner))
      resolveSubports(of: port, at: path, into: &resolved, claims: &claims)
      ports[node].append(resolved)
    }
  }

  private mutating func resolveSubports(
    of port: Port, at path: PortPath, into parent: inout ResolvedPort, claims: inout PortClaims
  ) {
    var vlans: [Int: SourceLocation] = [:]
    for subport in port.subports {
      guard (1...4094).contains(subport.vlan) else {
        report("VLAN id \(subport.vlan) is not in 1…4094", at: subport.location)
        continue
      }
      if let other = vlans.updateValue(subport.location, forKey: subport.vlan) {
        let owner = Owner(what: "a subport of this port", location: other)
        report(
          "VLAN id \(subport.vlan) is already that of \(described(owner, from: subport.location))",
          at: subport.location, fix: "give each subport of a port a VLAN id of its own")
        continue
      }
      guard let network = network(named: subport.network, at: subport.location) else { continue }
      if network == parent.network {
        report(
          "a subport cannot be on '\(subport.network)', the network of its own parent", at: subport.location,
          fix: "put it on another network: that is what its VLAN is for")
        continue
      }
      let device = "\(parent.device).\(subport.vlan)"
      if NameRule.device.problem(of: parent.device) == nil, device.utf8.count > NameRule.device.limit {
        let room = NameRule.device.limit - (device.utf8.count - parent.device.utf8.count)
        report(
          "the subinterface's name '\(device)' is longer than \(NameRule.device.limit) characters",
          at: subport.location, fix: "call the port's device '\(parent.device.prefix(room))'")
      }
      let owner = Owner(what: "\(device) of '\(port.node)'", location: subport.location)
      claimDevice(device, of: port.node, owner: owner, claims: &claims)
      let key = "\(port.node) \(device)"
      var resolved = ResolvedPort(
        id: id(subport.id, key: key, owner: owner, claims: &claims), device: device, network: network,
        mac: parent.mac, addresses: [], mtu: mtu(subport.mtu, on: network, within: parent.mtu, owner: owner),
        routes: [], vlan: subport.vlan, subports: [],
        impairment: impairment(subport.impairment, on: network), location: subport.location)
      if let text = subport.mac, MACAddress(text) != parent.mac {
        resolved.mac = mac(text, key: key, owner: owner, claims: &claims)
      }
      let sibling = parent.subports.first { $0.network == network && $0.mac == resolved.mac }
      if let sibling {
        let other = Owner(what: "\(sibling.device) of '\(port.node)'", location: sibling.location)
        report(
          "MAC \(resolved.mac) is on network '\(subport.network)' already, as that of \(described(other, from: subport.location))",
          at: subport.location, fix: "give one of the two subports a MAC of its own")
      }
      declaredPorts.append(
        DeclaredPort(
          path: PortPath(node: path.node, port: path.port, subport: parent.subports.count),
          addresses: subport.addresses, routes: subport.routes, owner: owner))
      parent.subports.append(resolved)
    }
  }

  private mutating func network(named name: String, at location: SourceLocation) -> Int? {
    if let index = networkIndex[name] { return index }
    if name.isEmpty {
      report("the port has no network", at: location, fix: "name one: port(on: network)")
    } else {
      report(
        "there is no network '\(name)'", at: location,
        fix: networks.isEmpty
          ? "declare it: Network(\"\(name)\", subnet: \"192.168.21.0/24\")"
          : suggestion(for: name, among: networks.map(\.name), what: "network"))
    }
    return nil
  }

  private mutating func claimDevice(
    _ device: String, of node: String, owner: Owner, claims: inout PortClaims
  ) {
    guard let other = claims.devices.updateValue(owner, forKey: "\(node) \(device)") else { return }
    report(
      "\(described(Owner(what: "'\(device)' is already an interface of VM '\(node)'", location: other.location), from: owner.location))",
      at: owner.location, fix: "leave the device out, or give it another name")
  }

  /// The port's own MTU, or the network's; a subport's is never more than its parent's.
  private mutating func mtu(_ mtu: Int?, on network: Int, within parent: Int?, owner: Owner) -> Int {
    let most = parent ?? .max
    let chosen = mtu ?? min(networks[network].mtu, most)
    if mtu != nil, (68...65_535).contains(chosen), chosen > most {
      report(
        "MTU \(chosen) of \(owner.what) is larger than its parent's, \(most)", at: owner.location,
        fix: "write \(most) or less, or leave it out")
      return most
    }
    let hasIPv6 = networks[network].subnets.contains { $0.family == .ipv6 }
    return checkedMTU(chosen, hasIPv6: hasIPv6, of: owner.what, at: owner.location)
  }

  private mutating func impairment(_ own: Impairment?, on network: Int) -> Impairment? {
    own == nil ? networks[network].impairment : checked(own)
  }

  func port(at path: PortPath) -> ResolvedPort {
    let port = ports[path.node][path.port]
    return path.subport.map { port.subports[$0] } ?? port
  }

  mutating func withPort(at path: PortPath, _ body: (inout ResolvedPort) -> Void) {
    if let subport = path.subport {
      body(&ports[path.node][path.port].subports[subport])
    } else {
      body(&ports[path.node][path.port])
    }
  }
}
