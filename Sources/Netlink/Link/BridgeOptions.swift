internal import CNetlink

/// The options of a bridge (`ip link … type bridge …`): nil leaves an option at what it is, or at the kernel's
/// default in a new bridge. Read back, all that the kernel reports are set.
public struct BridgeOptions: Hashable, Sendable {
  /// `vlan_filtering`.
  public var vlanFiltering: Bool?
  /// `vlan_default_pvid`; 0 is none.
  public var vlanDefaultPVID: UInt16?
  /// `vlan_protocol`: 0x8100 or 0x88a8.
  public var vlanProtocol: UInt16?
  /// `stp_state`.
  public var stpState: Bool?
  /// `priority`.
  public var priority: UInt16?
  /// `forward_delay`, in hundredths of a second.
  public var forwardDelay: UInt32?
  /// `hello_time`, in hundredths of a second.
  public var helloTime: UInt32?
  /// `max_age`, in hundredths of a second.
  public var maxAge: UInt32?
  /// `ageing_time`, in hundredths of a second; 0 makes every frame flood.
  public var ageingTime: UInt32?
  /// `mcast_snooping`.
  public var multicastSnooping: Bool?
  /// `mcast_querier`.
  public var multicastQuerier: Bool?
  /// `group_fwd_mask`: which of the link-local groups 01:80:c2:00:00:0X are forwarded.
  public var groupForwardMask: UInt16?
  /// `nf_call_iptables`.
  public var callIPTables: Bool?
  /// `nf_call_ip6tables`.
  public var callIP6Tables: Bool?
  /// `nf_call_arptables`.
  public var callARPTables: Bool?

  public init(
    vlanFiltering: Bool? = nil, vlanDefaultPVID: UInt16? = nil, vlanProtocol: UInt16? = nil,
    stpState: Bool? = nil, priority: UInt16? = nil, forwardDelay: UInt32? = nil, helloTime: UInt32? = nil,
    maxAge: UInt32? = nil, ageingTime: UInt32? = nil, multicastSnooping: Bool? = nil,
    multicastQuerier: Bool? = nil, groupForwardMask: UInt16? = nil, callIPTables: Bool? = nil,
    callIP6Tables: Bool? = nil, callARPTables: Bool? = nil
  ) {
    self.vlanFiltering = vlanFiltering
    self.vlanDefaultPVID = vlanDefaultPVID
    self.vlanProtocol = vlanProtocol
    self.stpState = stpState
    self.priority = priority
    self.forwardDelay = forwardDelay
    self.helloTime = helloTime
    self.maxAge = maxAge
    self.ageingTime = ageingTime
    self.multicastSnooping = multicastSnooping
    self.multicastQuerier = multicastQuerier
    self.groupForwardMask = groupForwardMask
    self.callIPTables = callIPTables
    self.callIP6Tables = callIP6Tables
    self.callARPTables = callARPTables
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.attribute(IFLA_BR_VLAN_FILTERING, vlanFiltering)
    buffer.attribute(IFLA_BR_VLAN_DEFAULT_PVID, vlanDefaultPVID)
    buffer.attribute(IFLA_BR_VLAN_PROTOCOL, vlanProtocol?.bigEndian)
    buffer.attribute(IFLA_BR_STP_STATE, stpState.map { UInt32($0 ? 1 : 0) })
    buffer.attribute(IFLA_BR_PRIORITY, priority)
    buffer.attribute(IFLA_BR_FORWARD_DELAY, forwardDelay)
    buffer.attribute(IFLA_BR_HELLO_TIME, helloTime)
    buffer.attribute(IFLA_BR_MAX_AGE, maxAge)
    buffer.attribute(IFLA_BR_AGEING_TIME, ageingTime)
    buffer.attribute(IFLA_BR_MCAST_SNOOPING, multicastSnooping)
    buffer.attribute(IFLA_BR_MCAST_QUERIER, multicastQuerier)
    buffer.attribute(IFLA_BR_GROUP_FWD_MASK, groupForwardMask)
    buffer.attribute(IFLA_BR_NF_CALL_IPTABLES, callIPTables)
    buffer.attribute(IFLA_BR_NF_CALL_IP6TABLES, callIP6Tables)
    buffer.attribute(IFLA_BR_NF_CALL_ARPTABLES, callARPTables)
  }

  init(decoding data: RawSpan) {
    self.init()
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_BR_VLAN_FILTERING: vlanFiltering = value.flag
      case IFLA_BR_VLAN_DEFAULT_PVID: vlanDefaultPVID = value.integer()
      case IFLA_BR_VLAN_PROTOCOL: vlanProtocol = value.bigEndian()
      case IFLA_BR_STP_STATE: stpState = value.integer(as: UInt32.self).map { $0 != 0 }
      case IFLA_BR_PRIORITY: priority = value.integer()
      case IFLA_BR_FORWARD_DELAY: forwardDelay = value.integer()
      case IFLA_BR_HELLO_TIME: helloTime = value.integer()
      case IFLA_BR_MAX_AGE: maxAge = value.integer()
      case IFLA_BR_AGEING_TIME: ageingTime = value.integer()
      case IFLA_BR_MCAST_SNOOPING: multicastSnooping = value.flag
      case IFLA_BR_MCAST_QUERIER: multicastQuerier = value.flag
      case IFLA_BR_GROUP_FWD_MASK: groupForwardMask = value.integer()
      case IFLA_BR_NF_CALL_IPTABLES: callIPTables = value.flag
      case IFLA_BR_NF_CALL_IP6TABLES: callIP6Tables = value.flag
      case IFLA_BR_NF_CALL_ARPTABLES: callARPTables = value.flag
      default: break
      }
    }
  }
}
