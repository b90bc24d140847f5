/// Every ordered pair of VMs that the lab's networks let talk answers, and every pair that they keep apart does not.
///
/// A pair may talk when the sender's route to the target's address, and the target's back, leave by ports on one network
/// with no gateway in between. A pair with a gateway in between is not judged.
public struct AllPairs: CheckValue {
  /// Only ports on this network; all ports when absent.
  public var network: String?
  public var location: SourceLocation

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

  public var title: String { "all pairs" + (network.map { " on \($0)" } ?? "") }
  public var references: CheckReferences { CheckReferences(pairs: .network(network)) }
  public var isExclusive: Bool { true }
  public var checkList: [Check] { [.allPairs(self)] }
}

/// Each of some VMs answers each other one.
public struct Reachable: CheckValue {
  public var vms: [String]
  public var location: SourceLocation

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

  public var title: String {
    let shown = vms.prefix(4).joined(separator: ", ")
    return "\(shown)\(vms.count > 4 ? " and \(vms.count - 4) more" : "") reach each other"
  }
  public var references: CheckReferences { CheckReferences(vms: vms, pairs: .each(vms)) }
  public var isExclusive: Bool { true }
  public var checkList: [Check] { [.reachable(self)] }
}
