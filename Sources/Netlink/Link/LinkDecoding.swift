internal import CNetlink
internal import Glibc

extension Link {
  /// Reads `ifinfomsg` and its attributes. The kernel sends counters whether asked or not.
  init?(decoding message: RawSpan, withStatistics: Bool = false) {
    guard let index = message.integer(at: 4, as: Int32.self),
      let flags = message.integer(at: 8, as: UInt32.self)
    else { return nil }
    self.init(index: index, flags: LinkFlags(rawValue: flags))
    message.forEachAttribute(from: 16) { type, value in
      switch type {
      case IFLA_IFNAME: name = value.string
      case IFLA_MTU: mtu = value.integer() ?? mtu
      case IFLA_ADDRESS: address = value.macAddress
      case IFLA_MASTER: master = value.integer()
      case IFLA_GROUP: group = value.integer() ?? group
      case IFLA_IFALIAS: alias = value.string
      case IFLA_LINK: parent = value.integer()
      case IFLA_LINK_NETNSID: parentNamespaceID = value.integer()
      case IFLA_OPERSTATE: operationalState = value.integer().flatMap(OperationalState.init)
      case IFLA_CARRIER: hasCarrier = value.flag
      case IFLA_PROMISCUITY: promiscuity = value.integer() ?? promiscuity
      case IFLA_TXQLEN: transmitQueueLength = value.integer() ?? transmitQueueLength
      case IFLA_STATS64 where withStatistics: statistics = LinkStatistics(decoding: value)
      case IFLA_LINKINFO: decodeInfo(value)
      case IFLA_AF_SPEC: decodeSettings(value)
      case IFLA_PROP_LIST:
        value.forEachAttribute { type, name in
          if type == IFLA_ALT_IFNAME { alternativeNames.append(name.string) }
        }
      default: break
      }
    }
    // A device that is its own parent (a tunnel, say) has none.
    if parent == 0 { parent = nil }
  }

  private mutating func decodeInfo(_ info: RawSpan) {
    var slaveKind = ""
    info.forEachAttribute { type, value in
      switch type {
      // The kernel puts the kind before the data.
      case IFLA_INFO_KIND: kind = Kind(named: value.string)
      case IFLA_INFO_DATA: kind?.decode(value)
      case IFLA_INFO_SLAVE_KIND: slaveKind = value.string
      case IFLA_INFO_SLAVE_DATA where slaveKind == "bridge": bridgePort = BridgePortOptions(decoding: value)
      default: break
      }
    }
  }

  private mutating func decodeSettings(_ families: RawSpan) {
    families.forEachAttribute { family, settings in
      settings.forEachAttribute { type, values in
        if family == Int(AF_INET) && type == IFLA_INET_CONF { ipv4 = IPv4Settings(decoding: values) }
        if family == Int(AF_INET6) && type == IFLA_INET6_CONF { ipv6 = IPv6Settings(decoding: values) }
      }
    }
  }
}

extension Link.Kind {
  fileprivate init(named name: String) {
    switch name {
    case "veth": self = .veth
    case "bridge": self = .bridge(BridgeOptions())
    case "vlan": self = .vlan(VLAN(id: 0))
    case "vxlan": self = .vxlan(VXLAN(id: 0))
    case "dummy": self = .dummy
    case "tun": self = .tun(Tun())
    default: self = .other(name)
    }
  }

  fileprivate mutating func decode(_ data: RawSpan) {
    switch self {
    case .bridge: self = .bridge(BridgeOptions(decoding: data))
    case .vlan: self = .vlan(VLAN(decoding: data))
    case .vxlan: self = .vxlan(VXLAN(decoding: data))
    case .tun: self = .tun(Tun(decoding: data))
    case .veth, .dummy, .other: break
    }
  }
}
