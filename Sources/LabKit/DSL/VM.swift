/// A VM: a network namespace with one or more ports.
public struct VM: Topology, NodeReference, NodeDeclaration {
  package static let kind = "vm"
  package static let standsOnHost = true
  package var name: String
  /// The host it stands in directly (`Host("h") { vm }`); its ports may place it as well.
  package var host: String?
  package var location: SourceLocation

  /// - Parameter name: letters, digits, `-` and `_`; its namespace is `LAB.NAME`.
  public init(_ name: String, file: String = #filePath, line: Int = #line, column: Int = #column) {
    self.name = name
    self.location = SourceLocation(file: file, line: line, column: column)
  }
}
