/// Two VMs' first ports carry one VLAN tag on their host, so they are on one network: the PVID in
/// `bridge vlan show`. Skipped on a datapath without tags.
///
///     SameTag(web, db)
public struct SameTag: Checks, CheckValue {
  package static let kind = "sameTag"

  package var first: String
  package var second: String
  package var location: SourceLocation

  /// Both VMs must be on one host: a tag means nothing outside it.
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
