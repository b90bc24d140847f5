/// Anything netlab does not make, by the kernel's name for the kind.
package struct ForeignLink: LinkKind {
  package static let making = LinkMaking.never
  package var word: String

  /// - Parameter word: empty for a device without a kind.
  package init(_ word: String) { self.word = word.isEmpty ? "device" : word }
}
