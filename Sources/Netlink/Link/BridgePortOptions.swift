internal import CNetlink
internal import Glibc

/// The options of a bridge's port (`bridge link set dev … …`): nil leaves an option at what it is. Read back,
/// all that the kernel reports are set.
public struct BridgePortOptions: Hashable, Sendable {
  /// What a port does with frames (BR_STATE_…), by the words of `bridge link`.
  public enum State: UInt8, Hashable, Sendable {
    case disabled, listening, learning, forwarding, blocking
  }

  /// What is on or off, by the words of `bridge link`.
  public enum Flag: String, CaseIterable, Hashable, Sendable {
    case learning
    /// Unicast to unknown addresses leaves by this port.
    case flood
    case multicastFlood = "mcast_flood"
    case broadcastFlood = "bcast_flood"
    case hairpin
    /// A BPDU received disables the port.
    case bpduGuard = "guard"
    case rootBlock = "root_block"
    /// It exchanges frames with ports that are not isolated only.
    case isolated
    case neighbourSuppression = "neigh_suppress"
    case locked
    case vlanTunnel = "vlan_tunnel"

    /// Whether it is on at a new port.
    public var isUsual: Bool {
      switch self {
      case .learning, .flood, .multicastFlood, .broadcastFlood: true
      default: false
      }
    }

    fileprivate var attribute: Int {
      switch self {
      case .learning: IFLA_BRPORT_LEARNING
      case .flood: IFLA_BRPORT_UNICAST_FLOOD
      case .multicastFlood: IFLA_BRPORT_MCAST_FLOOD
      case .broadcastFlood: IFLA_BRPORT_BCAST_FLOOD
      case .hairpin: IFLA_BRPORT_MODE
      case .bpduGuard: IFLA_BRPORT_GUARD
      case .rootBlock: IFLA_BRPORT_PROTECT
      case .isolated: IFLA_BRPORT_ISOLATED
      case .neighbourSuppression: IFLA_BRPORT_NEIGH_SUPPRESS
      case .locked: IFLA_BRPORT_LOCKED
      case .vlanTunnel: IFLA_BRPORT_VLAN_TUNNEL
      }
    }

    /// Attributes are few enough for each to have a bit.
    fileprivate var bit: UInt64 { 1 << UInt64(attribute) }
    fileprivate static let bits = allCases.reduce(0) { $0 | $1.bit }
  }

  /// `state`. Unless STP runs in user space, the kernel replaces any but ``State/disabled`` by its own choice at
  /// once, and that with the next change of the link.
  public var state: State?
  /// `cost`.
  public var cost: UInt32?
  /// `priority`.
  public var priority: UInt16?
  private var known: UInt64 = 0
  private var on: UInt64 = 0

  public init(
    state: State? = nil, cost: UInt32? = nil, priority: UInt16? = nil, flags: [Flag: Bool] = [:]
  ) {
    (self.state, self.cost, self.priority) = (state, cost, priority)
    for (flag, value) in flags { self[flag] = value }
  }

  public subscript(flag: Flag) -> Bool? {
    get { known & flag.bit == 0 ? nil : on & flag.bit != 0 }
    set { set(flag.bit, newValue) }
  }

  private mutating func set(_ bit: UInt64, _ value: Bool?) {
    known = value == nil ? known & ~bit : known | bit
    on = value == true ? on | bit : on & ~bit
  }

  /// The flags that are otherwise than at a new port, in the order of the cases.
  public var unusual: [Flag] { Flag.allCases.filter { self[$0] == !$0.isUsual } }

  /// A flag as `bridge link` takes it: `learning off`.
  public static func text(_ flag: Flag, _ isOn: Bool) -> String { "\(flag.rawValue) \(isOn ? "on" : "off")" }

  func encode(to buffer: inout MessageBuffer) {
    buffer.attribute(IFLA_BRPORT_STATE, state?.rawValue)
    buffer.attribute(IFLA_BRPORT_COST, cost)
    buffer.attribute(IFLA_BRPORT_PRIORITY, priority)
    for flag in Flag.allCases { buffer.attribute(flag.attribute, self[flag]) }
  }

  init(decoding data: RawSpan) {
    self.init()
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_BRPORT_STATE: state = value.integer().flatMap(State.init)
      case IFLA_BRPORT_COST: cost = value.integer()
      case IFLA_BRPORT_PRIORITY: priority = value.integer()
      case 0..<64 where Flag.bits & 1 << UInt64(type) != 0: set(1 << UInt64(type), value.flag)
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
