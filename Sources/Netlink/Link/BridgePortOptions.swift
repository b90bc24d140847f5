internal import CNetlink
internal import Glibc

/// The options of a bridge's port (`bridge link set dev … …`): nil leaves an option at what it is. Read back,
/// all that the kernel reports are set.
public struct BridgePortOptions: Hashable, Sendable {
  /// What a port does with frames (BR_STATE_…).
  public enum State: UInt8, Hashable, Sendable {
    case disabled, listening, learning, forwarding, blocking
  }

  /// `state`. Unless STP runs in user space, the kernel replaces any but ``State/disabled`` by its own choice at
  /// once, and that with the next change of the link.
  public var state: State?
  /// `cost`.
  public var cost: UInt32?
  /// `priority`.
  public var priority: UInt16?
  /// `learning`.
  public var learning: Bool?
  /// `flood`: unicast to unknown addresses leaves by this port.
  public var unicastFlood: Bool?
  /// `mcast_flood`.
  public var multicastFlood: Bool?
  /// `bcast_flood`.
  public var broadcastFlood: Bool?
  /// `hairpin`.
  public var hairpin: Bool?
  /// `guard`: a BPDU received disables the port.
  public var bpduGuard: Bool?
  /// `root_block`.
  public var rootBlock: Bool?
  /// `isolated`: exchanges frames with ports that are not isolated only.
  public var isolated: Bool?
  /// `neigh_suppress`.
  public var neighbourSuppression: Bool?
  /// `locked`.
  public var locked: Bool?
  /// `vlan_tunnel`.
  public var vlanTunnel: Bool?

  public init(
    state: State? = nil, cost: UInt32? = nil, priority: UInt16? = nil, learning: Bool? = nil,
    unicastFlood: Bool? = nil, multicastFlood: Bool? = nil, broadcastFlood: Bool? = nil, hairpin: Bool? = nil,
    bpduGuard: Bool? = nil, rootBlock: Bool? = nil, isolated: Bool? = nil, neighbourSuppression: Bool? = nil,
    locked: Bool? = nil, vlanTunnel: Bool? = nil
  ) {
    self.state = state
    self.cost = cost
    self.priority = priority
    self.learning = learning
    self.unicastFlood = unicastFlood
    self.multicastFlood = multicastFlood
    self.broadcastFlood = broadcastFlood
    self.hairpin = hairpin
    self.bpduGuard = bpduGuard
    self.rootBlock = rootBlock
    self.isolated = isolated
    self.neighbourSuppression = neighbourSuppression
    self.locked = locked
    self.vlanTunnel = vlanTunnel
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.attribute(IFLA_BRPORT_STATE, state?.rawValue)
    buffer.attribute(IFLA_BRPORT_COST, cost)
    buffer.attribute(IFLA_BRPORT_PRIORITY, priority)
    buffer.attribute(IFLA_BRPORT_LEARNING, learning)
    buffer.attribute(IFLA_BRPORT_UNICAST_FLOOD, unicastFlood)
    buffer.attribute(IFLA_BRPORT_MCAST_FLOOD, multicastFlood)
    buffer.attribute(IFLA_BRPORT_BCAST_FLOOD, broadcastFlood)
    buffer.attribute(IFLA_BRPORT_MODE, hairpin)
    buffer.attribute(IFLA_BRPORT_GUARD, bpduGuard)
    buffer.attribute(IFLA_BRPORT_PROTECT, rootBlock)
    buffer.attribute(IFLA_BRPORT_ISOLATED, isolated)
    buffer.attribute(IFLA_BRPORT_NEIGH_SUPPRESS, neighbourSuppression)
    buffer.attribute(IFLA_BRPORT_LOCKED, locked)
    buffer.attribute(IFLA_BRPORT_VLAN_TUNNEL, vlanTunnel)
  }

  init(decoding data: RawSpan) {
    self.init()
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_BRPORT_STATE: state = value.integer().flatMap(State.init)
      case IFLA_BRPORT_COST: cost = value.integer()
      case IFLA_BRPORT_PRIORITY: priority = value.integer()
      case IFLA_BRPORT_LEARNING: learning = value.flag
      case IFLA_BRPORT_UNICAST_FLOOD: unicastFlood = value.flag
      case IFLA_BRPORT_MCAST_FLOOD: multicastFlood = value.flag
      case IFLA_BRPORT_BCAST_FLOOD: broadcastFlood = value.flag
      case IFLA_BRPORT_MODE: hairpin = value.flag
      case IFLA_BRPORT_GUARD: bpduGuard = value.flag
      case IFLA_BRPORT_PROTECT: rootBlock = value.flag
      case IFLA_BRPORT_ISOLATED: isolated = value.flag
      case IFLA_BRPORT_NEIGH_SUPPRESS: neighbourSuppression = value.flag
      case IFLA_BRPORT_LOCKED: locked = value.flag
      case IFLA_BRPORT_VLAN_TUNNEL: vlanTunnel = value.flag
      default: break
      }
    }
  }
}

extension Batch {
  /// Changes options of a bridge's port; EINVAL if the link is none (`bridge link set dev … …`).
  public mutating func setBridgePort(_ index: Int32, _ options: BridgePortOptions) {
    // In IFLA_INFO_SLAVE_DATA of an ordinary change they would count as a change of the link, upon which the
    // kernel enables a disabled port again.
    append(RTM_SETLINK) { buffer in
      buffer.linkHeader(family: AF_BRIDGE, index: index)
      buffer.nest(IFLA_PROTINFO, flagged: true) { options.encode(to: &$0) }
    }
  }
}
