/// Every ordered pair of VMs that the lab's networks let talk answers, and every pair that they keep apart does not.
///
/// A pair may talk when the sender's route to the target's address, and the target's back, leave by ports on one network
/// with no gateway in between. A pair with a gateway in between is not judged.
public struct AllPairs: Checks, CheckValue {
  package static let kind = "allPairs"

  /// Only ports on this network; all ports when absent.
  package var network: String?
  package var location: SourceLocation

  public init(file: String = #filePath, line: Int = #line, column: Int = #column) {
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// - Parameter network: judges only the VMs' ports on this network.
  public init(
    on network: some NetworkReference, file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.network = network.networkName
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "all pairs" + (network.map { " on \($0)" } ?? "") }
  package var references: CheckReferences { CheckReferences(pairs: .network(network)) }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// Each of some VMs answers each other one.
public struct Reachable: Checks, CheckValue {
  package static let kind = "reachable"

  package var vms: [String]
  package var location: SourceLocation

  public init(
    _ vms: any NodeReference..., file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.init(vms, file: file, line: line, column: column)
  }

  public init(
    _ vms: [any NodeReference], file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.vms = vms.map(\.nodeName)
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String {
    let shown = vms.prefix(4).joined(separator: ", ")
    return "\(shown)\(vms.count > 4 ? " and \(vms.count - 4) more" : "") reach each other"
  }
  package var references: CheckReferences { CheckReferences(vms: vms, pairs: .each(vms)) }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
