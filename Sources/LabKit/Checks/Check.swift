/// What must hold on a running lab. Checks are values: they cross a process boundary and end up in reports.
public indirect enum Check: Hashable, Sendable {
  case ping(Ping)
  case unreachable(Unreachable)
  case capture(Capture)
  case tagged(Tagged)
  case notFlooded(NotFlooded)
  case traceroute(Traceroute)
  case tcp(TCP)
  case neighbour(Neighbour)
  case sameTag(SameTag)
  case differentTag(DifferentTag)
  case run(Run)
  case allPairs(AllPairs)
  case reachable(Reachable)

  public var value: any CheckValue {
    switch self {
    case .ping(let check): check
    case .unreachable(let check): check
    case .capture(let check): check
    case .tagged(let check): check
    case .notFlooded(let check): check
    case .traceroute(let check): check
    case .tcp(let check): check
    case .neighbour(let check): check
    case .sameTag(let check): check
    case .differentTag(let check): check
    case .run(let check): check
    case .allPairs(let check): check
    case .reachable(let check): check
    }
  }

  /// How many checks stand in each other, this one counted.
  var depth: Int { 1 + (value.references.nested.map(\.depth).max() ?? 0) }
}

/// One kind of check.
public protocol CheckValue: Checks, Hashable, Codable, Sendable {
  var location: SourceLocation { get }
  /// One line for reports: `ping focal-1 → focal-2`.
  var title: String { get }
  /// What the check refers to, for validation.
  var references: CheckReferences { get }
  /// True for checks that count or forbid packets: they run alone, so that no other check's packets are counted.
  var isExclusive: Bool { get }
}

extension CheckValue {
  public var isExclusive: Bool { false }
}

/// The parts of a lab that a check needs in order to mean anything.
public struct CheckReferences {
  /// VMs by name.
  public var vms: [String] = []
  /// Pairs between which an address is needed: the sender, and whom it sends to.
  public var paths: [(from: String, to: Endpoint)] = []
  public var points: [CapturePoint] = []
  /// Capture filters in pcap's syntax.
  public var filters: [String] = []
  /// Checks inside this one.
  public var nested: [Check] = []
  /// Numbers that must be inside a range, by name.
  public var numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = []
  /// Regular expressions.
  public var patterns: [String] = []
  /// Pairs of VMs of which at least one, or each, must be able to talk.
  public var pairs: Pairs?
  /// What is wrong with the check by itself.
  public var problems: [String] = []

  public enum Pairs: Sendable {
    /// All pairs with ports on a network, or with any ports; at least one of them can talk.
    case network(String?)
    /// Each pair of these VMs can talk.
    case each([String])
  }
}

/// What can stand in a lab's checks.
public protocol Checks {
  var checkList: [Check] { get }
}

/// Several checks together.
public struct CheckGroup: Checks {
  public let checkList: [Check]
}

/// Collects checks in the order they are written.
@resultBuilder
public enum ChecksBuilder {
  public static func buildExpression(_ check: some Checks) -> CheckGroup {
    CheckGroup(checkList: check.checkList)
  }
  public static func buildExpression(_ checks: [some Checks]) -> CheckGroup {
    CheckGroup(checkList: checks.flatMap(\.checkList))
  }
  public static func buildBlock(_ parts: CheckGroup...) -> CheckGroup { buildArray(parts) }
  public static func buildOptional(_ part: CheckGroup?) -> CheckGroup { part ?? CheckGroup(checkList: []) }
  public static func buildEither(first part: CheckGroup) -> CheckGroup { part }
  public static func buildEither(second part: CheckGroup) -> CheckGroup { part }
  public static func buildArray(_ parts: [CheckGroup]) -> CheckGroup {
    CheckGroup(checkList: parts.flatMap(\.checkList))
  }
}

/// Whom a check sends to: a VM (on one of its networks), or an address as written.
public struct Endpoint: Hashable, Codable, Sendable, CustomStringConvertible {
  /// A VM's name or an IP address.
  public var name: String
  /// Which of the VM's networks; the first one it shares with the sender when absent.
  public var network: String?

  public var description: String { network.map { "\(name) on \($0)" } ?? name }
}

/// Something packets can be sent to.
public protocol EndpointReference {
  var endpoint: Endpoint { get }
}

extension Endpoint: EndpointReference {
  public var endpoint: Endpoint { self }
}
extension String: EndpointReference {
  public var endpoint: Endpoint { Endpoint(name: self) }
}
extension VM: EndpointReference {
  public var endpoint: Endpoint { Endpoint(name: name) }

  /// The VM's address on one of its networks, as the target of a check.
  public func on(_ network: some NetworkReference) -> Endpoint {
    Endpoint(name: name, network: network.networkName)
  }
}
