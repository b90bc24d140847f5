import LabKit
import Values

/// A numeric attribute of a link that the kernel gives each new one by itself.
///
/// They cost nothing when a lab comes up: they are wanted so that a change by hand is found.
package enum LinkOption: Int, CaseIterable, Hashable, Sendable {
  // ip link set dev DEVICE …
  case transmitQueueLength
  case group
  // bridge link set dev DEVICE …
  /// 0 is a port that is switched off; what else it is, STP and the carrier decide.
  case state
  case cost, priority, learning, flood
  case multicastFlood, broadcastFlood
  case hairpin, bpduGuard, rootBlock, isolated, neighbourSuppression, locked
  // sysctl net.ipv4.conf.DEVICE.… and net.ipv6.conf.DEVICE.…
  case proxyARP, arpFilter, arpAnnounce, arpIgnore, arpAccept, disableIPv6
  // ethtool -K DEVICE …, in an order in which each has what it needs
  case transmitChecksum, receiveChecksum, scatterGather, tcpSegmentation, genericSegmentation

  /// The word of the tool that changes it.
  package var word: String {
    switch self {
    case .transmitQueueLength: "txqueuelen"
    case .multicastFlood: "mcast_flood"
    case .broadcastFlood: "bcast_flood"
    case .bpduGuard: "guard"
    case .rootBlock: "root_block"
    case .neighbourSuppression: "neigh_suppress"
    case .proxyARP: "proxy_arp"
    case .arpFilter: "arp_filter"
    case .arpAnnounce: "arp_announce"
    case .arpIgnore: "arp_ignore"
    case .arpAccept: "arp_accept"
    case .disableIPv6: "disable_ipv6"
    case .transmitChecksum: "tx"
    case .receiveChecksum: "rx"
    case .scatterGather: "sg"
    case .tcpSegmentation: "tso"
    case .genericSegmentation: "gso"
    case .group, .state, .cost, .priority, .learning, .flood, .hairpin, .isolated, .locked: "\(self)"
    }
  }

  /// What changes it.
  package enum Tool: Hashable, Sendable {
    /// `ip link set`
    case link
    /// `bridge link set`
    case port
    /// `sysctl`
    case sysctl
    /// `ethtool -K`
    case offload
  }

  package var tool: Tool {
    switch self {
    case .transmitQueueLength, .group: .link
    case .state, .cost, .priority, .learning, .flood, .multicastFlood, .broadcastFlood, .hairpin, .bpduGuard,
      .rootBlock,
      .isolated, .neighbourSuppression, .locked:
      .port
    case .proxyARP, .arpFilter, .arpAnnounce, .arpIgnore, .arpAccept, .disableIPv6: .sysctl
    case .transmitChecksum, .receiveChecksum, .scatterGather, .tcpSegmentation, .genericSegmentation: .offload
    }
  }

  /// The value as the tool takes it.
  func words(_ value: Int) -> String {
    switch self {
    case .transmitQueueLength, .group, .state, .cost, .priority: "\(word) \(value)"
    default: "\(word) \(value == 0 ? "off" : "on")"
    }
  }

  /// The key of the setting for a device; a dot in the device's name is a slash, as `sysctl` wants it.
  func sysctlKey(of device: String) -> String {
    "net.\(self == .disableIPv6 ? "ipv6" : "ipv4").conf.\(device.replacing(".", with: "/")).\(word)"
  }
}

extension Link {
  /// The attributes that a link of a lab has without anybody setting them; the settings are inherited from the namespace's.
  func usualOptions(_ settings: NodeSettings) -> LinkOptions {
    var options: LinkOptions = [
      .transmitQueueLength: 1000, .group: 0, .proxyARP: 0, .arpFilter: 0, .arpAccept: 0,
      .arpAnnounce: settings.arpAnnounce, .arpIgnore: settings.arpIgnore,
      .disableIPv6: settings.hasIPv6 ? 0 : 1,
    ]
    if kind is Veth {
      for option in LinkOption.allCases where option.tool == .offload { options[option] = 1 }
    }
    if master != nil {
      for option in LinkOption.allCases where option.tool == .port { options[option] = 0 }
      options.merge([
        .state: 3, .cost: 2, .priority: 32, .learning: 1, .flood: 1, .multicastFlood: 1, .broadcastFlood: 1,
      ])
    }
    return options
  }
}
