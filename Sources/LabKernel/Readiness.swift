import LabKit
import LabMachine
import LabModel
import Netlink
import Values

extension OpenNamespaces {
  /// How long the kernel may take to let frames through a link that is up.
  private static let readinessLimit = Duration.seconds(10)

  /// Waits until what the blueprint wants up can be used: a request is done when the kernel has taken it, which finishes
  /// some things later, in work of its own. Until then the first packet of a check is lost, and a second with it.
  package func waitUntilReady(_ wanted: Blueprint) throws {
    let deadline = ContinuousClock.now + Self.readinessLimit
    try waitForCarriers(wanted, until: deadline)
    try waitForNeighbourDiscovery(wanted, until: deadline)
  }

  /// An interface drops what it is given to send until the kernel has seen its carrier. A bridge itself needs none to
  /// forward frames.
  private func waitForCarriers(_ wanted: Blueprint, until deadline: ContinuousClock.Instant) throws {
    let links = wanted.links.filter { $0.isUp && $0.kind.needsCarrier }
    for (name, links) in Dictionary(grouping: links, by: \.namespace) {
      guard let namespace = self[name], try !namespace.catchUp(with: links.map(\.name)) else { continue }
      var work = try CarrierWork()
      let devices = Set(links.map(\.name))
      try namespace.wait(for: .links, until: deadline) {
        guard let device = try namespace.notReady(of: devices) else { return nil }
        try work.advance()
        return RunnerError(
          .kernel, "\(device) in \(name) is up, but no frame passes it after \(Self.readinessLimit)",
          remedy: "`ip -n \(name) link show \(device)` tells its state; `netlab up` tries again.")
      }
    }
  }

  /// Nobody finds an IPv6 address before its link listens to the multicast group in which it is asked for.
  private func waitForNeighbourDiscovery(
    _ wanted: Blueprint, until deadline: ContinuousClock.Instant
  ) throws {
    let addresses = wanted.addresses.filter { $0.address.family == .ipv6 }
    if addresses.isEmpty { return }
    let up = Set(wanted.links.lazy.filter(\.isUp).map { [$0.namespace, $0.name] })
    let listening = addresses.filter { up.contains([$0.namespace, $0.device]) }
    for (name, addresses) in Dictionary(grouping: listening, by: \.namespace) {
      guard let namespace = self[name], try namespace.unheard(of: addresses) != nil else { continue }
      try namespace.wait(for: .ipv6Addresses, until: deadline) {
        guard let address = try namespace.unheard(of: addresses) else { return nil }
        return RunnerError(
          .kernel,
          "nobody finds \(address.address) in \(name): \(address.device) does not listen after \(Self.readinessLimit)",
          remedy: "`ip -n \(name) -6 maddress` tells what it listens to; `netlab up` tries again.")
      }
    }
  }
}

extension OpenNamespace {
  /// Looks again whenever something changes, until there is no problem any more; throws it when the time is over.
  fileprivate func wait(
    for subject: Monitor.Subject, until deadline: ContinuousClock.Instant,
    _ problem: () throws -> RunnerError?
  ) throws {
    let monitor = try Monitor(of: subject, in: namespace)
    while let problem = try problem() {
      guard ContinuousClock.now < deadline else { throw problem }
      _ = try monitor.waitForChange(milliseconds: 100)
    }
  }

  /// Whether frames pass all of these devices, after the kernel has caught up with the carrier of each.
  fileprivate func catchUp(with devices: [String]) throws(NetlinkError) -> Bool {
    try connection.links(devices.compactMap { indices[$0] }).allSatisfy(\.passesFrames)
  }

  /// One of the IPv6 addresses that its link, which is up, does not listen for yet.
  fileprivate func unheard(of addresses: [Address]) throws(NetlinkError) -> Address? {
    let groups = Set(try connection.multicastGroups())
    return addresses.first { address in
      indices[address.device].map {
        !groups.contains(MulticastGroup(soliciting: address.address.address, onLink: $0))
      } ?? false
    }
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
