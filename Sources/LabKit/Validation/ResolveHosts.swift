extension Resolver {
  /// A Linux bridge numbers its ports with 10 bits, the first of them reserved.
  private static let portsPerBridge = 1023
  /// VLAN ids 1 to 4094.
  private static let tagsPerHost = 4094

  /// Hosts: tags, the limits of bridges, device names that would collide.
  mutating func resolveHosts() -> [ResolvedHost] {
    var portsByHost: [[ResolvedPort]] = Array(repeating: [], count: document.hosts.count)
    for port in document.ports.indices.lazy.compactMap({ [vmIndex, document] in vmIndex[document.ports[$0].vm]
    }).uniqued() {
      guard let host = vmHosts[port] else { continue }
      portsByHost[host] += ports[port].flatMap { [$0] + $0.subports }
    }
    return document.hosts.enumerated().map { index, host in
      var tags: [Int: Int] = [:]
      for port in portsByHost[index] where tags[port.network] == nil { tags[port.network] = tags.count + 1 }
      checkLimits(of: host, ports: portsByHost[index], networks: tags.count)
      checkDeviceNames(of: host, ports: portsByHost[index])
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

  private mutating func checkDeviceNames(of host: Host, ports: [ResolvedPort]) {
    var owners: [String: SourceLocation] = [:]
    func check(_ name: String, _ location: SourceLocation, _ resolver: inout Resolver) {
      guard let other = owners.updateValue(location, forKey: name), other != location else { return }
      resolver.report(
        "the device name \(name) on host '\(host.name)' is already that of the port \(resolver.declared(other, from: location))",
        at: location, fix: "give one of the two another id")
    }
    for port in ports where port.vlan == nil {
      check(DeviceName.tap(port), port.location, &self)
      for subport in port.subports {
        check(DeviceName.tapSubinterface(of: port, vlan: subport.vlan ?? 0), subport.location, &self)
      }
    }
    guard datapath == .linuxbridge else { return }
    for network in Set(ports.map(\.network)).sorted() {
      check(DeviceName.brq(networks[network]), networks[network].location, &self)
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, in the order of its first appearance.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
