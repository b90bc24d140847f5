/// The path has a given number of hops: `traceroute -n TARGET`. One hop means no router in between.
public struct Traceroute: Checks, CheckValue {
  package static let kind = "traceroute"

  package var from: String
  package var to: Endpoint
  package var hopCount: Int
  package var location: SourceLocation

  public init(
    from: some NodeReference, to: some EndpointReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.hopCount = 1
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// States how many hops the target is away; 1 when this is not said.
  public func hops(_ count: Int) -> Traceroute {
    var check = self
    check.hopCount = count
    return check
  }

  package var title: String { "traceroute \(from) → \(to) takes \(hopCount) hop\(hopCount == 1 ? "" : "s")" }
  package var references: CheckReferences {
    CheckReferences(vms: [from], paths: [(from, to)], numbers: [("hops", hopCount, 1...64)])
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// A TCP port of one VM is served and reached from another; bytes go both ways.
///
/// The port is served for the length of the check, unless something in the VM already listens on it.
public struct TCP: Checks, CheckValue {
  package static let kind = "tcp"

  package var from: String
  package var to: Endpoint
  package var port: Int
  package var location: SourceLocation

  public init(
    from: some NodeReference, to: some EndpointReference, port: Int,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.port = port
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "tcp \(from) → \(to) port \(port)" }
  package var references: CheckReferences {
    CheckReferences(vms: [from], paths: [(from, to)], numbers: [("port", port, 1...65_535)])
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// The sender's neighbour table has the target's address with the MAC that the lab declares: `ip neigh show`.
public struct Neighbour: Checks, CheckValue {
  package static let kind = "neighbour"

  package var from: String
  package var to: Endpoint
  package var location: SourceLocation

  public init(
    of from: some NodeReference, for to: some EndpointReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "neighbour table of \(from) has \(to)'s MAC" }
  package var references: CheckReferences { CheckReferences(vms: [from], paths: [(from, to)]) }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// Two VMs' ports carry one VLAN tag on their host: they are on one network.
public struct SameTag: Checks, CheckValue {
  package static let kind = "sameTag"

  package var first: String
  package var second: String
  package var location: SourceLocation

  public init(
    _ first: some NodeReference, _ second: some NodeReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.first = first.nodeName
    self.second = second.nodeName
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "same tag \(first), \(second)" }
  package var references: CheckReferences { CheckReferences(vms: [first, second]) }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// Two VMs' ports carry different VLAN tags on their host: they are on different networks.
public struct DifferentTag: Checks, CheckValue {
  package static let kind = "differentTag"

  package var first: String
  package var second: String
  package var location: SourceLocation

  public init(
    _ first: some NodeReference, _ second: some NodeReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.first = first.nodeName
    self.second = second.nodeName
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "different tags \(first), \(second)" }
  package var references: CheckReferences { CheckReferences(vms: [first, second]) }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// A command in a node ends with the expected status and output.
///
/// The command is given as its arguments and never passes through a shell.
public struct Run: Checks, CheckValue {
  package static let kind = "run"

  /// What the command's standard output must be like.
  public enum Output: Hashable, Sendable {
    case anything
    case contains(String)
    /// A regular expression that matches somewhere in the output.
    case matches(String)
  }

  package var node: String
  package var command: [String]
  package var status: Int
  package var output: Output
  package var location: SourceLocation

  public init(
    on node: some NodeReference, _ command: String..., status: Int = 0, output: Output = .anything,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.node = node.nodeName
    self.command = command
    self.status = status
    self.output = output
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "run on \(node): \(command.joined(separator: " "))".onOneLine }
  package var references: CheckReferences {
    var references = CheckReferences(
      points: [CapturePoint(node: node, place: .device("lo"))], numbers: [("status", status, 0...255)])
    if case .matches(let pattern) = output { references.patterns = [pattern] }
    if command.first?.isEmpty ?? true { references.problems.append("there is no command to run") }
    if command.contains(where: { $0.utf8.contains(0) }) {
      references.problems.append("an argument of a command cannot contain U+0000")
    }
    return references
  }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
