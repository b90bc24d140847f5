/// The device `lo`, which comes with each namespace.
package struct Loopback: LinkKind {
  package static let making = LinkMaking.withNamespace
  package var word: String { "loopback" }

  package init() {}
}
