/// A compute host: the namespace that holds the bridges its VMs are plugged into.
public struct Host: Topology, NodeReference, NodeDeclaration {
  package static let kind = "host"
  package static let standsOnHost = false
  package var name: String
  package var location: SourceLocation
  package var content: [Declaration] = []

  private enum CodingKeys: CodingKey { case name, location }

  /// A handle, to be filled by calling it: `compute { vm.port(on: net) }`.
  public init(_ name: String, file: String = #filePath, line: Int = #line, column: Int = #column) {
    self.name = name
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// A host that runs the VMs whose ports stand in the braces.
  public init(
    _ name: String, file: String = #filePath, line: Int = #line, column: Int = #column,
    @TopologyBuilder _ content: () -> TopologyGroup
  ) {
    self.init(name, file: file, line: line, column: column)
    self.content = content().declarations
  }

  /// The host with what it runs.
  public func callAsFunction(@TopologyBuilder _ content: () -> TopologyGroup) -> Host {
    var host = self
    host.content = content().declarations
    return host
  }
}
