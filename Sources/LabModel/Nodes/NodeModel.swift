import LabKit

/// What a kind of node is in a lab.
package protocol NodeModel: NodeDeclaration {
  /// What messages call it: `VM`.
  static var word: String { get }
  /// The settings that its devices get from its namespace.
  func settings(with ports: [ResolvedPort]) -> NodeSettings
}

/// The settings of a node's namespace, which new devices inherit.
package struct NodeSettings: Hashable, Sendable {
  package var hasIPv6: Bool
  package var arpIgnore = 0
  package var arpAnnounce = 0
}

extension Node {
  /// The declaration with what its kind is in a lab.
  var model: any NodeModel {
    guard let model = declaration as? any NodeModel else {
      preconditionFailure("\(declaration) has no model")
    }
    return model
  }
  var word: String { type(of: model).word }

  /// Where the kind stands among ``NodeKinds``.
  var order: Int { Self.orders[ObjectIdentifier(type(of: declaration))] ?? .max }

  private static let orders = order(of: NodeKinds.self)

  /// A kind without a model does not compile.
  private static func order<each Kind: NodeModel>(of _: (repeat each Kind).Type) -> [ObjectIdentifier: Int] {
    var orders: [ObjectIdentifier: Int] = [:]
    func add<Added: NodeModel>(_ kind: Added.Type) { orders[ObjectIdentifier(kind)] = orders.count }
    repeat add((each Kind).self)
    return orders
  }
}
