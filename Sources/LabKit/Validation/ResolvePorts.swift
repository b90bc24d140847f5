extension Resolver {
  /// Which host each VM runs on: the one whose braces hold it or its ports.
  mutating func resolvePlacement() {
    vmHosts = document.vms.map { vm in vm.host.flatMap { hostIndex[$0] } }
    for vm in document.vms {
      if let host = vm.host, hostIndex[host] == nil { reportUnknownHost(host, at: vm.location) }
    }
    for port in document.ports {
      guard let host = port.host else { continue }
      guard let found = hostIndex[host] else {
        reportUnknownHost(host, at: port.location)
        continue
      }
      guard let vm = vmIndex[port.vm] else { continue }
      if let other = vmHosts[vm], other != found {
        report(
          "VM '\(port.vm)' is on host '\(document.hosts[other].name)' and cannot have a port on '\(host)' too",
          at: port.location)
      } else {
        vmHosts[vm] = found
      }
    }
    for (name, index) in vmIndex.sorted(by: { $0.value < $1.value }) where vmHosts[index] == nil {
      report(
        "VM '\(name)' is on no host", at: document.vms[index].location,
        fix: "give it a port inside a Host: Host(\"compute-1\") { … }")
    }
  }

  private mutating func reportUnknownHost(_ host: String, at location: SourceLocation) {
    report(
      "there is no host '\(host)'", at: location,
      fix: suggestion(for: host, among: document.hosts.map(\.name), what: "host"))
  }

  /// Ports: their network, device, id, MAC and MTU, and the same of their subports.
  mutating func resolvePorts() {
    ports = Array(repeating: [], count: document.vms.count)
    var claims = PortClaims()
    for port in document.ports {
      guard let vm = vmIndex[port.vm] else {
        report(
          "there is no VM '\(port.vm)'", at: port.location,
          fix: suggestion(for: port.vm, among: document.vms.map(\.name), what: "VM"))
        continue
      }
      guard let network = network(named: port.network, at: port.location) else { continue }
      let device = port.device ?? "eth\(ports[vm].count)"
      if let problem = NameRule.problem(ofDevice: device) {
        report("the interface's name '\(device)' \(problem)", at: port.location)
      }
      let key = "\(port.vm) \(device)"
      let mtu = port.mtu ?? networks[network].mtu
      checkMTU(
        mtu, hasIPv6: networks[network].subnets.contains { $0.family == .ipv6 }, of: "port \(key)",
        at: port.location)
      var resolved = ResolvedPort(
        id: id(port.id, key: key, at: port.location, claims: &claims), device: device, network: network,
        mac: mac(port.mac, key: key, network: network, at: port.location, claims: &claims), addresses: [],
        mtu: mtu,
        routes: [], vlan: nil, subports: [], location: port.location)
      claimDevice(device, of: port.vm, at: port.location, claims: &claims)
      resolveSubports(of: port, into: &resolved, claims: &claims)
      ports[vm].append(resolved)
    }
  }

  private mutating func resolveSubports(
    of port: Port, into parent: inout ResolvedPort, claims: inout PortClaims
  ) {
    var vlans: [Int: SourceLocation] = [:]
    for subport in port.subports {
      guard (1...4094).contains(subport.vlan) else {
        report("VLAN id \(subport.vlan) is not in 1…4094", at: subport.location)
        continue
      }
      if let other = vlans.updateValue(subport.location, forKey: subport.vlan) {
        report(
          "VLAN \(subport.vlan) is already used on this port by the subport \(declared(other, from: subport.location))",
          at: subport.location)
        continue
      }
      guard let network = network(named: subport.network, at: subport.location) else { continue }
      if network == parent.network {
        report(
          "a subport cannot be on its parent's own network '\(subport.network)'", at: subport.location,
          fix: "put it on another network: that is what its VLAN is for")
        continue
      }
      let device = "\(parent.device).\(subport.vlan)"
      if let problem = NameRule.problem(ofDevice: device) {
        report("the subinterface's name '\(device)' \(problem)", at: subport.location)
      }
      claimDevice(device, of: port.vm, at: subport.location, claims: &claims)
      let key = "\(port.vm) \(device)"
      let mtu = subport.mtu ?? min(networks[network].mtu, parent.mtu)
      checkMTU(
        mtu, hasIPv6: networks[network].subnets.contains { $0.family == .ipv6 }, of: "subport \(key)",
        at: subport.location)
      if mtu > parent.mtu {
        report(
          "MTU \(mtu) of subport \(key) is larger than its parent's \(parent.mtu)", at: subport.location,
          fix: "make it \(parent.mtu) or less")
      }
      parent.subports.append(
        ResolvedPort(
          id: id(subport.id, key: key, at: subport.location, claims: &claims), device: device,
          network: network,
          mac: subport.mac == nil
            ? claims.inherit(parent.mac, network: network, at: subport.location, in: &self)
            : mac(subport.mac, key: key, network: network, at: subport.location, claims: &claims),
          addresses: [], mtu: mtu, routes: [], vlan: subport.vlan, subports: [], location: subport.location))
    }
  }

  private mutating func network(named name: String, at location: SourceLocation) -> Int? {
    if let index = networkIndex[name] { return index }
    if name.isEmpty {
      report("the port has no network", at: location, fix: "name one: port(on: network)")
    } else {
      report(
        "there is no network '\(name)'", at: location,
        fix: suggestion(for: name, among: networks.map(\.name), what: "network"))
    }
    return nil
  }

  private mutating func claimDevice(
    _ device: String, of vm: String, at location: SourceLocation, claims: inout PortClaims
  ) {
    if let other = claims.devices.updateValue(location, forKey: "\(vm) \(device)") {
      report(
        "VM '\(vm)' already has an interface '\(device)', \(declared(other, from: location))", at: location)
    }
  }

  /// The port's UUID; devices are named after its first 11 characters, so those must be free in the lab.
  private mutating func id(
    _ text: String?, key: String, at location: SourceLocation, claims: inout PortClaims
  ) -> String {
    var id = ObjectID.derived(from: "port", document.name, key)
    if let text {
      if let parsed = ObjectID.parse(text) {
        id = parsed
      } else {
        report(
          "port id '\(text)' is not a UUID", at: location, fix: "leave it out, or write one such as \(id)")
      }
      if let other = claims.shortIDs[String(id.prefix(11))] {
        report(
          "port id \(id) begins like that of the port \(declared(other, from: location)): both would be named tap\(id.prefix(11))",
          at: location, fix: "change one of the first 11 characters")
      }
    } else {
      var attempt: UInt64 = 0
      while claims.shortIDs[String(id.prefix(11))] != nil {
        attempt += 1
        id = ObjectID.derived(from: "port", document.name, key, attempt: attempt)
      }
    }
    claims.shortIDs[String(id.prefix(11))] = location
    return id
  }

  private mutating func mac(
    _ text: String?, key: String, network: Int, at location: SourceLocation, claims: inout PortClaims
  ) -> MACAddress {
    var attempt: UInt64 = 0
    var chosen: MACAddress
    repeat {
      chosen = .derived(from: document.name, key, attempt: attempt)
      attempt += 1
    } while claims.macs[chosen] != nil
    guard let text else {
      claims.macs[chosen] = location
      return chosen
    }
    guard let mac = MACAddress(text) else {
      report("'\(text)' is not a MAC address", at: location, fix: "write six octets, such as \(chosen)")
      return chosen
    }
    if mac.isMulticast || mac.isZero {
      report(
        "MAC \(mac) is \(mac.isZero ? "all zeros" : "a multicast address"), which no interface can have",
        at: location,
        fix: "leave it out, or use an address that begins like \(chosen)")
    }
    if let other = claims.macs.updateValue(location, forKey: mac) {
      report("MAC \(mac) is already that of the port \(declared(other, from: location))", at: location)
    }
    claims.macs[mac] = location
    return mac
  }
}

/// What ports have taken so far, in the whole lab.
struct PortClaims {
  var shortIDs: [String: SourceLocation] = [:]
  var macs: [MACAddress: SourceLocation] = [:]
  var devices: [String: SourceLocation] = [:]
  /// Inherited MACs by network: two subports of one parent on one network would be two owners of a MAC there.
  private var inherited: [Int: Set<MACAddress>] = [:]

  /// A subport has its parent's MAC, as in Neutron's trunks; on another network that is no duplicate.
  mutating func inherit(
    _ mac: MACAddress, network: Int, at location: SourceLocation, in resolver: inout Resolver
  ) -> MACAddress {
    if !inherited[network, default: []].insert(mac).inserted {
      resolver.report(
        "two subports of one port are on one network with the same MAC \(mac)", at: location,
        fix: "give one of them a MAC of its own")
    }
    return mac
  }
}

extension MACAddress {
  /// An address from Neutron's base `fa:16:3e:00:00:00`, depending on the names alone.
  static func derived(from lab: String, _ key: String, attempt: UInt64) -> MACAddress {
    MACAddress(value: 0xfa16_3e00_0000 | StableHash.hash("mac", lab, key, seed: attempt) & 0xff_ffff)
  }
}
