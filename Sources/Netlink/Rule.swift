internal import CNetlink
internal import Glibc
public import Values

/// A rule that chooses a routing table (`ip rule`).
public struct Rule: Hashable, Sendable {
  /// What a rule does with packets that match (FR_ACT_…).
  public struct Action: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Look into the table.
    public static let lookUp = Action(rawValue: 1)
    public static let goto = Action(rawValue: 2)
    public static let nop = Action(rawValue: 3)
    public static let blackhole = Action(rawValue: 6)
    public static let unreachable = Action(rawValue: 7)
    public static let prohibit = Action(rawValue: 8)
  }

  public var isIPv6 = false
  /// Lower comes first.
  public var priority: UInt32 = 0
  public var table: UInt32
  public var action = Action.lookUp
  /// The source that it is for; nil: any.
  public var source: IPPrefix?
  /// The destination that it is for; nil: any.
  public var destination: IPPrefix?
  /// The name of the link that packets come in by.
  public var inputLink: String?
  /// The name of the link that packets leave by.
  public var outputLink: String?
  public var mark: UInt32?

  /// A rule for all packets, which looks into a table.
  public init(priority: UInt32, table: UInt32) {
    (self.priority, self.table) = (priority, table)
  }

  /// Reads `fib_rule_hdr` and its attributes.
  init?(decoding message: RawSpan) {
    func byte(_ offset: Int) -> UInt8 { message.integer(at: offset) ?? 0 }
    guard message.byteCount >= 12, [AF_INET, AF_INET6].contains(CInt(byte(0))) else { return nil }
    isIPv6 = CInt(byte(0)) == AF_INET6
    var isWhole = true
    func prefix(_ address: RawSpan, _ length: UInt8) -> IPPrefix? {
      let prefix = IPPrefix(address.ipAddress, length: length)
      if prefix == nil { isWhole = false }
      return prefix
    }
    (table, action) = (UInt32(byte(4)), Action(rawValue: byte(7)))
    message.forEachAttribute(from: 12) { type, value in
      switch type {
      case FRA_PRIORITY: priority = value.integer() ?? priority
      case FRA_TABLE: table = value.integer() ?? table
      case FRA_SRC: source = prefix(value, byte(2))
      case FRA_DST: destination = prefix(value, byte(1))
      case FRA_IIFNAME: inputLink = value.string
      case FRA_OIFNAME: outputLink = value.string
      case FRA_FWMARK: mark = value.integer()
      default: break
      }
    }
    // Without its condition it would be for more than it is.
    if !isWhole { return nil }
  }
}

extension Rule.Action: CustomStringConvertible {
  /// As `ip rule` writes it.
  public var description: String {
    switch self {
    case .lookUp: "lookup"
    case .goto: "goto"
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .prohibit: "prohibit"
    default: "nop"
    }
  }
}

extension Connection {
  /// The rules of both families, in order of priority (`ip rule show`, and `ip -6 …`).
  public func rules() throws(NetlinkError) -> [Rule] {
    var rules: [Rule] = []
    for family in [AF_INET, AF_INET6] {
      rules += try dump(RTM_GETRULE, reply: RTM_NEWRULE) { buffer in
        buffer.field(UInt32(family))
        buffer.field(UInt64(0))
      } decode: {
        Rule(decoding: $0)
      }
    }
    return rules
  }
}
