/// Every kind of check. A new kind is one line here, a file of values beside this one, and a runner in LabChecks, without
/// which nothing compiles.
package typealias CheckKinds = (
  Ping, Unreachable, Capture, Tagged, NotFlooded, Traceroute, TCP, Neighbour, SameTag, DifferentTag, Run,
  AllPairs,
  Reachable
)

/// What must hold on a running lab: a value of one of the ``CheckKinds``. It crosses a process boundary and ends up in
/// reports.
package struct Check: Sendable {
  package let value: any CheckValue

  package init(_ value: any CheckValue) { self.value = value }

  /// How deep checks are nested, counting this one.
  var depth: Int { 1 + (value.references.nested.map(\.depth).max() ?? 0) }
}

extension Check: Hashable {
  package static func == (first: Check, second: Check) -> Bool {
    AnyHashable(first.value) == AnyHashable(second.value)
  }
  package func hash(into hasher: inout Hasher) { value.hash(into: &hasher) }
}

/// One kind of check.
package protocol CheckValue: Checks, Hashable, Codable, Sendable {
  /// The kind as JSON and reports name it: `ping`, `notFlooded`.
  static var kind: String { get }
  var location: SourceLocation { get }
  /// One line for reports: `ping focal-1 → focal-2`.
  var title: String { get }
  /// What the check refers to, for validation.
  var references: CheckReferences { get }
  /// True for checks that count or forbid packets: they run alone, so that no other check's packets are counted.
  var isExclusive: Bool { get }
}

extension CheckValue {
  package var isExclusive: Bool { false }
}

extension CheckGroup {
  /// A group of one check.
  init(_ check: some CheckValue) { self.init(checkList: [Check(check)]) }
}

/// The parts of a lab that a check needs in order to mean anything.
package struct CheckReferences {
  /// VMs by name.
  package var vms: [String] = []
  /// Pairs between which an address is needed: the sender, and whom it sends to.
  package var paths: [(from: String, to: Endpoint)] = []
  package var points: [CapturePoint] = []
  /// Capture filters in pcap's syntax.
  package var filters: [String] = []
  /// Checks inside this one.
  package var nested: [Check] = []
  /// Numbers that must be inside a range, by name.
  package var numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = []
  /// Regular expressions.
  package var patterns: [String] = []
  /// Pairs of VMs of which at least one, or each, must be able to talk.
  package var pairs: Pairs?
  /// What is wrong with the check by itself.
  package var problems: [String] = []

  package enum Pairs: Sendable {
    /// All pairs with ports on a network, or with any ports; at least one of them can talk.
    case network(String?)
    /// Each pair of these VMs can talk.
    case each([String])
  }
}

/// What can stand in a lab's checks.
public protocol Checks {
  var checkGroup: CheckGroup { get }
}

/// Several checks together.
public struct CheckGroup: Checks {
  package let checkList: [Check]

  public var checkGroup: CheckGroup { self }
}

/// Collects checks in the order they are written.
@resultBuilder
public enum ChecksBuilder {
  public static func buildExpression(_ check: some Checks) -> CheckGroup {
    check.checkGroup
  }
  public static func buildExpression(_ checks: [some Checks]) -> CheckGroup {
    CheckGroup(checkList: checks.flatMap(\.checkGroup.checkList))
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
  package var name: String
  /// Which of the VM's networks; the first one it shares with the sender when absent.
  package var network: String?

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
