/// Every kind of link that netlab makes. A new kind is one line here, a file beside this one, and a file in LabKernel's
/// `Links`, without which nothing compiles.
package typealias LinkKinds = (Loopback, Veth, Bridge, VLANSubinterface)

/// What a link is: what `ip link add … type WORD …` makes.
package protocol LinkKind: Hashable, Sendable, CustomStringConvertible {
  /// The kernel's name for the kind, as `ip link add … type` uses it.
  var word: String { get }
  /// How one is made.
  static var making: LinkMaking { get }
  /// Whether it lets frames pass only when it has a carrier.
  static var needsCarrier: Bool { get }
  /// Whether it is gone as soon as its carrier is, like a subinterface with its parent; a cable's ends go together.
  static var endsWithCarrier: Bool { get }
  /// What the kernel must be able to do for it.
  var features: [KernelFeature] { get }

  /// The link without which this one cannot be: a cable's other end, a subinterface's parent.
  func carrier(in namespace: String) -> LinkKey?
  /// What stands before the name in `ip link add`: `link eth0`.
  var place: String? { get }
  /// The options that are given, in `ip link`'s words behind `type WORD`.
  var options: [LinkWord] { get }
  /// Whether the two are alike in all that only deleting and creating a link again can change.
  func isOfKind(of observed: Self) -> Bool
  /// The wanted options that an observed link does not have, as a kind with only these; `nil` if there are none. Several
  /// where the kernel takes them only one after the other.
  func changes(from observed: Self) -> [Self]
}

/// An option of a kind of link and its value: `stp_state 0`.
package struct LinkWord: Hashable, Sendable {
  package var option: String
  package var value: String

  package init(_ option: String, _ value: some CustomStringConvertible) {
    self.option = option
    self.value = "\(value)"
  }
}

/// How a link is made.
package enum LinkMaking: Sendable {
  /// It comes with its namespace.
  case withNamespace
  /// Before the links that become its ports; it comes up after them.
  case beforePorts
  /// Together with its other end.
  case withPeer
  /// When the link that it is on is there, and up.
  case onCarrier
  /// By somebody else.
  case never
}

extension LinkKind {
  package static var needsCarrier: Bool { false }
  package static var endsWithCarrier: Bool { false }
  package var features: [KernelFeature] { [] }
  package var place: String? { nil }
  package var options: [LinkWord] { [] }
  package var description: String { word }
  package func carrier(in namespace: String) -> LinkKey? { nil }
  package func isOfKind(of observed: Self) -> Bool { self == observed }
  package func changes(from observed: Self) -> [Self] { [] }

  var making: LinkMaking { Self.making }
  package var needsCarrier: Bool { Self.needsCarrier }
  var endsWithCarrier: Bool { Self.endsWithCarrier }

  func isEqual(to other: any LinkKind) -> Bool { other as? Self == self }

  // The same for an observed link of any kind.
  func isOfKind(ofAny observed: any LinkKind) -> Bool { (observed as? Self).map(isOfKind) ?? false }
  func changes(fromAny observed: any LinkKind) -> [any LinkKind] { (observed as? Self).map(changes) ?? [] }
  func differences(fromAny observed: any LinkKind) -> [AttributeDifference] {
    guard let observed = observed as? Self else { return [] }
    let found = Dictionary(
      observed.options.map { ($0.option, $0.value) }, uniquingKeysWith: { first, _ in first })
    return options.filter { found[$0.option] != $0.value }.map {
      AttributeDifference(attribute: $0.option, wanted: $0.value, observed: found[$0.option] ?? "unsupported")
    }
  }
}

/// What identifies a link.
package struct LinkKey: Hashable, Sendable {
  package var namespace: String
  package var name: String

  package init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }

  package init(_ link: Link) { self.init(namespace: link.namespace, name: link.name) }
}
