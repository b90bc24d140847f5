/// Each of some VMs answers each other one: `ping -c 1` from each to each.
///
///     Reachable(web, db, cache)
///     Reachable(workers)
public struct Reachable: Checks, CheckValue {
  package static let kind = "reachable"

  package var vms: [String]
  package var location: SourceLocation

  /// - Parameter vms: Two or more VMs, each pair of which can talk.
  public init(
    _ vms: any NodeReference..., file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.init(vms, file: file, line: line, column: column)
  }

  /// - Parameter vms: Two or more VMs, each pair of which can talk.
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
