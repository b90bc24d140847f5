/// Every kind of node. A new kind is one line here, a file of its declaration beside this one, and one in LabModel's
/// `Nodes` that says what it is in a lab, without which nothing compiles.
package typealias NodeKinds = (Host, VM)

/// A kind of node as its author declares it: what becomes a network namespace.
package protocol NodeDeclaration: NodeReference, Topology, Hashable, Codable, Sendable {
  /// The kind as JSON names it: `vm`.
  static var kind: String { get }
  /// Whether it runs on a host, and has ports there.
  static var standsOnHost: Bool { get }
  var name: String { get }
  var location: SourceLocation { get }
  /// The host in whose braces it stands.
  var host: String? { get set }
  /// What stands in its braces. It goes into the document beside the node.
  var content: [Declaration] { get set }
}

extension NodeDeclaration {
  package var host: String? {
    get { nil }
    set {}
  }
  package var content: [Declaration] {
    get { [] }
    set {}
  }

  public var nodeName: String { name }
  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: [.node(Node(self))]) }
}

/// A node of any of the ``NodeKinds``.
package struct Node: Sendable {
  package var declaration: any NodeDeclaration

  package init(_ declaration: any NodeDeclaration) { self.declaration = declaration }

  package var name: String { declaration.name }
  package var location: SourceLocation { declaration.location }
  package var standsOnHost: Bool { type(of: declaration).standsOnHost }
  package var host: String? {
    get { declaration.host }
    set { declaration.host = newValue }
  }

  /// The declaration itself, wherever it is placed.
  package var unplaced: Node {
    var node = self
    node.host = nil
    return node
  }
}

extension Node: Hashable {
  package static func == (first: Node, second: Node) -> Bool {
    first.declaration.isEqual(to: second.declaration)
  }
  package func hash(into hasher: inout Hasher) { declaration.hash(into: &hasher) }
}

extension NodeDeclaration {
  fileprivate func isEqual(to other: any NodeDeclaration) -> Bool { other as? Self == self }
}

extension Node: Codable {
  private static let kinds = byName(NodeKinds.self)

  private static func byName<each Kind: NodeDeclaration>(
    _: (repeat each Kind).Type
  ) -> [String: any NodeDeclaration.Type] {
    var kinds: [String: any NodeDeclaration.Type] = [:]
    func add<Added: NodeDeclaration>(_ kind: Added.Type) { kinds[kind.kind] = kind }
    repeat add((each Kind).self)
    return kinds
  }

  /// `{"vm": {"name": "focal-1", …}}`
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    let word = try container.onlyKey(of: "a node")
    guard let kind = Self.kinds[word.stringValue] else {
      throw DecodingError.dataCorruptedError(
        forKey: word, in: container, debugDescription: "there is no node of this kind")
    }
    self.init(try container.decode(kind, forKey: word))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    try container.encode(declaration, forKey: Word(type(of: declaration).kind))
  }
}

/// A node named by its handle or by its name.
public protocol NodeReference {
  var nodeName: String { get }
}

extension String: NodeReference {
  public var nodeName: String { self }
}
