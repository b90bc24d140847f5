internal import CNetlink
internal import Glibc

extension RequestDescription {
  /// The name of the attribute that begins at an offset of the request, or that the offset lies in.
  func attributeName(at offset: Int) -> String? {
    withBytes(of: message) { bytes in
      guard let header = MessageHeader(bytes, at: 0) else { return nil }
      let scope = AttributeScope(ofRequest: header.type)
      let start = MessageBuffer.headerLength + scope.fixedLength
      return scope.name(at: offset, in: bytes, from: start, kind: "")
    }
  }
}

/// What attributes of one number mean depends on what they are in.
private enum AttributeScope {
  case link, linkInfo, bridge, vlan, vxlan, veth, peer, bridgePort, bridgeVLAN
  case address, route, neighbour, qdisc, netem, tbf, other

  init(ofRequest type: Int) {
    switch type {
    case RTM_NEWLINK...RTM_SETLINK, RTM_NEWLINKPROP, RTM_DELLINKPROP: self = .link
    case RTM_NEWADDR...RTM_GETADDR: self = .address
    case RTM_NEWROUTE...RTM_GETROUTE: self = .route
    case RTM_NEWNEIGH...RTM_GETNEIGH: self = .neighbour
    case RTM_NEWQDISC...RTM_GETQDISC: self = .qdisc
    default: self = .other
    }
  }

  /// What comes before the attributes.
  var fixedLength: Int {
    switch self {
    case .link, .peer: 16
    case .address: 8
    case .route, .neighbour: 12
    case .qdisc: 20
    case .netem: Netem.fixedLength
    default: 0
    }
  }

  /// What is inside an attribute of this scope, if attributes are.
  func scope(of type: Int, kind: String) -> AttributeScope? {
    switch (self, type) {
    case (.link, IFLA_LINKINFO), (.peer, IFLA_LINKINFO): .linkInfo
    case (.link, IFLA_AF_SPEC): .bridgeVLAN
    case (.link, IFLA_PROTINFO): .bridgePort
    case (.linkInfo, IFLA_INFO_DATA):
      ["bridge": .bridge, "vlan": .vlan, "vxlan": .vxlan, "veth": .veth][kind]
    case (.veth, VETH_INFO_PEER): .peer
    case (.qdisc, TCA_OPTIONS): ["netem": .netem, "tbf": .tbf][kind]
    default: nil
    }
  }

  func name(at offset: Int, in message: RawSpan, from start: Int, kind: String) -> String? {
    var kind = kind
    var position = start
    while let length = message.integer(at: position, as: UInt16.self).map(Int.init), length >= 4,
      let type = message.integer(at: position + 2, as: UInt16.self).map({ Int($0) & 0x3fff }),
      position + length <= message.byteCount
    {
      if self == .linkInfo && type == IFLA_INFO_KIND || self == .qdisc && type == TCA_KIND {
        kind = message.extracting(position + 4..<position + length).string
      }
      if position..<position + length ~= offset {
        var innermost: String?
        if offset >= position + 4, let inner = scope(of: type, kind: kind) {
          let contents = message.extracting(..<(position + length))
          innermost = inner.name(at: offset, in: contents, from: position + 4 + inner.fixedLength, kind: kind)
        }
        return innermost ?? names[type] ?? "attribute \(type)"
      }
      position += (length + 3) & ~3
    }
    return nil
  }

  var names: [Int: String] {
    switch self {
    case .link, .peer:
      [
        IFLA_IFNAME: "IFLA_IFNAME", IFLA_ADDRESS: "IFLA_ADDRESS", IFLA_MTU: "IFLA_MTU",
        IFLA_LINK: "IFLA_LINK",
        IFLA_MASTER: "IFLA_MASTER", IFLA_GROUP: "IFLA_GROUP", IFLA_TXQLEN: "IFLA_TXQLEN",
        IFLA_IFALIAS: "IFLA_IFALIAS", IFLA_NET_NS_FD: "IFLA_NET_NS_FD", IFLA_LINKINFO: "IFLA_LINKINFO",
        IFLA_AF_SPEC: "IFLA_AF_SPEC", IFLA_PROTINFO: "IFLA_PROTINFO", IFLA_PROP_LIST: "IFLA_PROP_LIST",
        IFLA_EXT_MASK: "IFLA_EXT_MASK",
        IFLA_ALT_IFNAME: "IFLA_ALT_IFNAME",
      ]
    case .linkInfo:
      [IFLA_INFO_KIND: "IFLA_INFO_KIND", IFLA_INFO_DATA: "IFLA_INFO_DATA"]
    case .bridge:
      [
        IFLA_BR_VLAN_FILTERING: "IFLA_BR_VLAN_FILTERING", IFLA_BR_VLAN_PROTOCOL: "IFLA_BR_VLAN_PROTOCOL",
        IFLA_BR_VLAN_DEFAULT_PVID: "IFLA_BR_VLAN_DEFAULT_PVID", IFLA_BR_STP_STATE: "IFLA_BR_STP_STATE",
        IFLA_BR_PRIORITY: "IFLA_BR_PRIORITY", IFLA_BR_FORWARD_DELAY: "IFLA_BR_FORWARD_DELAY",
        IFLA_BR_HELLO_TIME: "IFLA_BR_HELLO_TIME", IFLA_BR_MAX_AGE: "IFLA_BR_MAX_AGE",
        IFLA_BR_AGEING_TIME: "IFLA_BR_AGEING_TIME", IFLA_BR_MCAST_SNOOPING: "IFLA_BR_MCAST_SNOOPING",
        IFLA_BR_MCAST_QUERIER: "IFLA_BR_MCAST_QUERIER", IFLA_BR_GROUP_FWD_MASK: "IFLA_BR_GROUP_FWD_MASK",
        IFLA_BR_NF_CALL_IPTABLES: "IFLA_BR_NF_CALL_IPTABLES",
        IFLA_BR_NF_CALL_IP6TABLES: "IFLA_BR_NF_CALL_IP6TABLES",
        IFLA_BR_NF_CALL_ARPTABLES: "IFLA_BR_NF_CALL_ARPTABLES",
      ]
    case .vlan: [IFLA_VLAN_ID: "IFLA_VLAN_ID", IFLA_VLAN_PROTOCOL: "IFLA_VLAN_PROTOCOL"]
    case .vxlan:
      [
        IFLA_VXLAN_ID: "IFLA_VXLAN_ID", IFLA_VXLAN_GROUP: "IFLA_VXLAN_GROUP",
        IFLA_VXLAN_GROUP6: "IFLA_VXLAN_GROUP6",
        IFLA_VXLAN_LOCAL: "IFLA_VXLAN_LOCAL", IFLA_VXLAN_LOCAL6: "IFLA_VXLAN_LOCAL6",
        IFLA_VXLAN_LINK: "IFLA_VXLAN_LINK", IFLA_VXLAN_PORT: "IFLA_VXLAN_PORT",
        IFLA_VXLAN_LEARNING: "IFLA_VXLAN_LEARNING", IFLA_VXLAN_TTL: "IFLA_VXLAN_TTL",
      ]
    case .veth: [VETH_INFO_PEER: "VETH_INFO_PEER"]
    case .bridgePort:
      [
        IFLA_BRPORT_STATE: "IFLA_BRPORT_STATE", IFLA_BRPORT_COST: "IFLA_BRPORT_COST",
        IFLA_BRPORT_PRIORITY: "IFLA_BRPORT_PRIORITY", IFLA_BRPORT_LEARNING: "IFLA_BRPORT_LEARNING",
        IFLA_BRPORT_UNICAST_FLOOD: "IFLA_BRPORT_UNICAST_FLOOD", IFLA_BRPORT_MODE: "IFLA_BRPORT_MODE",
        IFLA_BRPORT_MCAST_FLOOD: "IFLA_BRPORT_MCAST_FLOOD",
        IFLA_BRPORT_BCAST_FLOOD: "IFLA_BRPORT_BCAST_FLOOD",
        IFLA_BRPORT_GUARD: "IFLA_BRPORT_GUARD", IFLA_BRPORT_PROTECT: "IFLA_BRPORT_PROTECT",
        IFLA_BRPORT_ISOLATED: "IFLA_BRPORT_ISOLATED",
        IFLA_BRPORT_NEIGH_SUPPRESS: "IFLA_BRPORT_NEIGH_SUPPRESS",
        IFLA_BRPORT_LOCKED: "IFLA_BRPORT_LOCKED", IFLA_BRPORT_VLAN_TUNNEL: "IFLA_BRPORT_VLAN_TUNNEL",
      ]
    case .bridgeVLAN:
      [IFLA_BRIDGE_FLAGS: "IFLA_BRIDGE_FLAGS", IFLA_BRIDGE_VLAN_INFO: "IFLA_BRIDGE_VLAN_INFO"]
    case .address:
      [IFA_LOCAL: "IFA_LOCAL", IFA_ADDRESS: "IFA_ADDRESS", IFA_BROADCAST: "IFA_BROADCAST"]
    case .route:
      [
        Int(RTA_DST.rawValue): "RTA_DST", Int(RTA_GATEWAY.rawValue): "RTA_GATEWAY",
        Int(RTA_OIF.rawValue): "RTA_OIF", Int(RTA_TABLE.rawValue): "RTA_TABLE",
        Int(RTA_PRIORITY.rawValue): "RTA_PRIORITY", Int(RTA_PREFSRC.rawValue): "RTA_PREFSRC",
        Int(RTA_METRICS.rawValue): "RTA_METRICS",
      ]
    case .neighbour:
      [
        NDA_DST: "NDA_DST", NDA_LLADDR: "NDA_LLADDR", NDA_VLAN: "NDA_VLAN", NDA_MASTER: "NDA_MASTER",
        NDA_IFINDEX: "NDA_IFINDEX", NDA_NDM_STATE_MASK: "NDA_NDM_STATE_MASK",
      ]
    case .qdisc: [TCA_KIND: "TCA_KIND", TCA_OPTIONS: "TCA_OPTIONS"]
    case .netem:
      [
        TCA_NETEM_LATENCY64: "TCA_NETEM_LATENCY64", TCA_NETEM_JITTER64: "TCA_NETEM_JITTER64",
        TCA_NETEM_CORR: "TCA_NETEM_CORR", TCA_NETEM_REORDER: "TCA_NETEM_REORDER",
        TCA_NETEM_CORRUPT: "TCA_NETEM_CORRUPT", TCA_NETEM_RATE: "TCA_NETEM_RATE",
        TCA_NETEM_RATE64: "TCA_NETEM_RATE64",
      ]
    case .tbf:
      [
        TCA_TBF_PARMS: "TCA_TBF_PARMS", TCA_TBF_RATE64: "TCA_TBF_RATE64", TCA_TBF_BURST: "TCA_TBF_BURST",
      ]
    case .other: [:]
    }
  }
}
