import LabKit
import LabMachine
import LabModel
import Netlink
import Values

extension Netlink.Link {
  /// The attributes of which a lab has an opinion, as far as this kernel has them.
  var options: LinkOptions {
    var options = LinkOptions()
    options[.transmitQueueLength] = Int(transmitQueueLength)
    options[.group] = Int(group)
    if let ipv4 {
      options[.proxyARP] = Int(ipv4.proxyARP)
      options[.arpFilter] = Int(ipv4.arpFilter)
      options[.arpAnnounce] = Int(ipv4.arpAnnounce)
      options[.arpIgnore] = Int(ipv4.arpIgnore)
      options[.arpAccept] = Int(ipv4.arpAccept)
    }
    if let ipv6 { options[.disableIPv6] = ipv6.isDisabled ? 1 : 0 }
    if let bridgePort {
      for (option, flag) in BridgePortOptions.flags { options[option] = bridgePort[flag].map { $0 ? 1 : 0 } }
      options[.cost] = bridgePort.cost.map(Int.init)
      options[.priority] = bridgePort.priority.map(Int.init)
      // A port without a carrier is off as well, and that it has none is told of the link that is down.
      options[.state] = bridgePort.state == .disabled && operationalState == .up ? 0 : 3
    }
    return options
  }
}

extension LinkOptions {
  /// Adds the offloads of a veth, which are asked for apart.
  mutating func add(_ offloads: Set<Offload>) {
    for offload in Offload.allCases { self[offload.option] = offloads.contains(offload) ? 1 : 0 }
  }
}

extension Offload {
  /// The option that it is of a lab's link.
  var option: LinkOption {
    switch self {
    case .transmitChecksum: .transmitChecksum
    case .receiveChecksum: .receiveChecksum
    case .scatterGather: .scatterGather
    case .tcpSegmentation: .tcpSegmentation
    case .genericSegmentation: .genericSegmentation
    }
  }
}

extension BridgePortOptions {
  init(_ options: LinkOptions) {
    self.init()
    for (option, flag) in Self.flags { self[flag] = options[option].map { $0 != 0 } }
    cost = options[.cost].map(UInt32.init)
    priority = options[.priority].map(UInt16.init)
    state = options[.state].map { $0 == 0 ? .disabled : .forwarding }
  }

  /// The flags of which a lab has an opinion: both sides call them by the words of `bridge link`.
  fileprivate static let flags = LinkOption.allCases.filter { $0.tool == .port }.compactMap { option in
    Flag(rawValue: option.word).map { (option, $0) }
  }
}
