/// Every ordered pair of VMs that the lab's networks let talk does, and every pair that they keep apart does not:
/// `ping -c 1` from each VM to each address of each other.
///
/// A pair may talk when the sender's route to the target's address, and the target's back, leave by ports on one network
/// with no gateway in between. A pair with a gateway in between is not judged.
///
///     AllPairs()
///     AllPairs(on: blue)
public struct AllPairs: Checks, CheckValue {
  package static let kind = "allPairs"

  /// All ports when absent.
  package var network: String?
  package var location: SourceLocation

  /// Judges all ports of all VMs.
  public init(file: String = #filePath, line: Int = #line, column: Int = #column) {
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// - Parameter network: Judges only the VMs' ports on this network.
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
