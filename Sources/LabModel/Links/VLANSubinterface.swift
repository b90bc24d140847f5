/// An 802.1Q subinterface of another link in the same namespace: `ip link add link PARENT name NAME type vlan id ID`.
package struct VLANSubinterface: LinkKind {
  package static let making = LinkMaking.onCarrier
  package static let needsCarrier = true
  package static let endsWithCarrier = true
  package var word: String { "vlan" }
  /// 1 to 4094.
  package var id: Int
  package var parent: String

  package init(id: Int, parent: String) {
    self.id = id
    self.parent = parent
  }

  package var description: String { "vlan \(id) on \(parent)" }
  package var features: [KernelFeature] { [.vlanDevices] }
  package var place: String? { "link \(parent.shellQuoted)" }
  package var options: [LinkWord] { [LinkWord("id", id)] }

  package func carrier(in namespace: String) -> LinkKey? { LinkKey(namespace: namespace, name: parent) }
}
