internal import LabKit
internal import Netlink

extension OpenNamespaces {
  /// How long the kernel may take to let frames through a link that is up.
  private static let readinessLimit = Duration.seconds(5)

  /// Waits until frames pass every link that the blueprint wants up.
  ///
  /// "Up" is when the administrator's word was taken. The kernel sees the carrier later, in work of its own, and until
  /// then an interface drops what it is given to send: the first packet of a check, and a second with it.
  func waitUntilReady(_ wanted: Blueprint) throws {
    let deadline = ContinuousClock.now + Self.readinessLimit
    let links = wanted.links.filter { $0.isUp && $0.kind != .loopback }
    for (name, links) in Dictionary(grouping: links, by: \.namespace) {
      guard let namespace = self[name] else { continue }
      let devices = Set(links.map(\.name))
      var waiting = try namespace.notReady(devices)
      guard !waiting.isEmpty else { continue }
      let monitor = try LinkMonitor(in: namespace.namespace)
      waiting = try namespace.notReady(devices)
      while let device = waiting.first {
        let left = (deadline - .now).components
        let milliseconds = Int(left.seconds) * 1000 + Int(left.attoseconds / 1_000_000_000_000_000)
        guard try monitor.waitForChange(milliseconds: milliseconds) else {
          throw RunnerError(
            .kernel, "\(device) in \(name) is up, but no frame passes it after \(Self.readinessLimit)",
            remedy: "`ip -n \(name) link show \(device)` tells its state; `netlab up` tries again.")
        }
        waiting = try namespace.notReady(devices)
      }
    }
  }
}

extension OpenNamespace {
  /// Those of the devices that do not pass frames yet.
  ///
  /// They are asked for one by one: since Linux 6.8 that makes the kernel catch up with the carrier of the device at
  /// once, where its own work sees to a hundred devices a second.
  fileprivate func notReady(_ devices: Set<String>) throws(NetlinkError) -> [String] {
    var waiting: [String] = []
    for device in devices {
      guard let index = indices[device] else { continue }
      let link = try connection.link(index)
      let isForwarding = link.bridgePort.map { $0.state == .forwarding } ?? true
      if !isForwarding || (link.operationalState != .up && link.operationalState != .unknown) {
        waiting.append(device)
      }
    }
    return waiting
  }
}
