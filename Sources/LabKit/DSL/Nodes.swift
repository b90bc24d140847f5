/// A VM: a network namespace with one or more ports.
public struct VM: Hashable, Codable, Sendable {
  package var name: String
  /// The host it stands in directly (`Host("h") { vm }`); its ports may place it as well.
  package var host: String?
  package var location: SourceLocation

  public init(
    _ name: String, file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.name = name
    self.location = SourceLocation(file: file, line: line, column: column)
  }
}

/// A compute host: the namespace that holds the bridges its VMs are plugged into.
public struct Host: Hashable, Codable, Sendable {
  package var name: String
  package var location: SourceLocation
  /// What stands in the braces; flattened when the lab becomes a document.
  var content: [Declaration] = []

  private enum CodingKeys: CodingKey { case name, location }

  /// A handle, to be filled by calling it: `compute { vm.port(on: net) }`.
  public init(
    _ name: String, file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
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

  public func callAsFunction(@TopologyBuilder _ content: () -> TopologyGroup) -> Host {
    var host = self
    host.content = content().declarations
    return host
  }
}

/// A node (a VM or a host) named by its handle or by its name.
public protocol NodeReference {
  var nodeName: String { get }
}

extension String: NodeReference {
  public var nodeName: String { self }
}
extension VM: NodeReference {
  public var nodeName: String { name }
}
extension Host: NodeReference {
  public var nodeName: String { name }
}

extension VM: Topology {
  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: [.vm(self)]) }
}
extension Host: Topology {
  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: [.host(self)]) }
}
