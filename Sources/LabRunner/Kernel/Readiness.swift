internal import LabKit
internal import Netlink

extension OpenNamespaces {
  /// How long the kernel may take to let frames through a link that is up.
  private static let readinessLimit = Duration.seconds(10)

  /// Waits until frames pass every link that the blueprint wants up.
  ///
  /// "Up" is when the administrator's word was taken. The kernel sees the carrier later, in work of its own, and until
  /// then an interface drops what it is given to send: the first packet of a check, and a second with it. A bridge itself
  /// needs none to forward frames.
  func waitUntilReady(_ wanted: Blueprint) throws {
    let deadline = ContinuousClock.now + Self.readinessLimit
    let links = wanted.links.filter { $0.isUp && $0.kind.needsCarrier }
    for (name, links) in Dictionary(grouping: links, by: \.namespace) {
      guard let namespace = self[name], try !namespace.catchUp(with: links.map(\.name)) else { continue }
      let monitor = try LinkMonitor(in: namespace.namespace)
      var work = try CarrierWork()
      let devices = Set(links.map(\.name))
      while let device = try namespace.notReady(of: devices) {
        guard ContinuousClock.now < deadline else {
          throw RunnerError(
            .kernel, "\(device) in \(name) is up, but no frame passes it after \(Self.readinessLimit)",
            remedy: "`ip -n \(name) link show \(device)` tells its state; `netlab up` tries again.")
        }
        try work.advance()
        _ = try monitor.waitForChange(milliseconds: 100)
      }
    }
  }
}

extension OpenNamespace {
  /// Whether frames pass all of these devices, after the kernel has caught up with the carrier of each.
  fileprivate func catchUp(with devices: [String]) throws(NetlinkError) -> Bool {
    try connection.links(devices.compactMap { indices[$0] }).allSatisfy(\.passesFrames)
  }

  /// One of the devices that does not pass frames yet.
  fileprivate func notReady(of devices: Set<String>) throws(NetlinkError) -> String? {
    let indices = Set(devices.compactMap { self.indices[$0] })
    return try connection.links().first { indices.contains($0.index) && !$0.passesFrames }?.name
  }
}

extension Netlink.Link {
  fileprivate var passesFrames: Bool {
    let isForwarding = bridgePort.map { $0.state == .forwarding } ?? true
    return isForwarding && (operationalState == .up || operationalState == .unknown)
  }
}

extension LabKit.Link.Kind {
  fileprivate var needsCarrier: Bool {
    switch self {
    case .veth, .vlan: true
    case .loopback, .bridge, .other: false
    }
  }
}
