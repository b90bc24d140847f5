/// Two VMs' first ports carry different VLAN tags on their host, so they are on different networks: the PVID in
/// `bridge vlan show`. Skipped on a datapath without tags.
///
///     DifferentTag(web, other)
public struct DifferentTag: Checks, CheckValue {
  package static let kind = "differentTag"

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

  package var title: String { "different tags \(first), \(second)" }
  package var references: CheckReferences { CheckReferences(vms: [first, second]) }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
