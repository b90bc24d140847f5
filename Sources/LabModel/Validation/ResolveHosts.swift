import LabKit
import Values

extension Resolver {
  /// A Linux bridge numbers its ports with 10 bits, the first of them reserved.
  private static let portsPerBridge = 1023
  /// VLAN ids 1 to 4094.
  private static let tagsPerHost = 4094

  /// Hosts: tags, the limits of bridges, device names that would collide.
  mutating func resolveHosts() -> [ResolvedHost] {
    var portsByHost: [[ResolvedPort]] = Array(repeating: [], count: document.hosts.count)
    for declared in declaredPorts {
      if let host = vmHosts[declared.path.vm] { portsByHost[host].append(port(at: declared.path)) }
    }
    return zip(document.hosts, portsByHost).map { host, ports in
      var tags: [Int: Int] = [:]
      for port in ports where tags[port.network] == nil { tags[port.network] = tags.count + 1 }
      checkLimits(of: host, ports: ports, networks: tags.count)
      checkDeviceNames(of: host, ports: ports)
      return ResolvedHost(name: host.name, location: host.location, tags: tags)
    }
  }

  private mutating func checkLimits(of host: Host, ports: [ResolvedPort], networks count: Int) {
    switch datapath {
    case .hybrid:
      if ports.count > Self.portsPerBridge {
        report(
          "host '\(host.name)' has \(ports.count) ports on br-int; a bridge takes at most \(Self.portsPerBridge)",
          at: host.location, fix: "spread the VMs over several hosts")
      }
      if count > Self.tagsPerHost {
        report(
          "host '\(host.name)' has \(count) networks; there are \(Self.tagsPerHost) VLAN tags",
          at: host.location,
          fix: "spread the networks over several hosts")
      }
    case .linuxbridge:
      for (network, ports) in Dictionary(grouping: ports, by: \.network).sorted(by: { $0.key < $1.key })
      where ports.count > Self.portsPerBridge {
        report(
          "host '\(host.name)' has \(ports.count) ports of network '\(networks[network].name)'; a bridge takes at most \(Self.portsPerBridge)",
          at: host.location, fix: "spread the VMs over several hosts")
      }
    }
  }

  /// The names that are made of more, or of less, than the 11 characters of a port's id that were found to be unique.
  private mutating func checkDeviceNames(of host: Host, ports: [ResolvedPort]) {
    var owners: [String: Owner] = [:]
    func check(_ name: String, _ owner: Owner, _ resolver: inout Resolver) {
      guard let other = owners.updateValue(owner, forKey: name) else { return }
      resolver.report(
        "the device name \(name) on host '\(host.name)' is already that of \(resolver.described(other, from: owner.location))",
        at: owner.location, fix: "give one of the two another id")
    }
    for port in ports {
      for subport in port.subports {
        let owner = Owner(what: "subport \(subport.device)", location: subport.location)
        check(DeviceName.tapSubinterface(of: port, vlan: subport.vlan ?? 0), owner, &self)
      }
    }
    guard datapath == .linuxbridge else { return }
    for network in ports.map(\.network).uniqued() {
      let owner = Owner(what: "network '\(networks[network].name)'", location: networks[network].location)
      check(DeviceName.brq(networks[network]), owner, &self)
    }
  }
}
