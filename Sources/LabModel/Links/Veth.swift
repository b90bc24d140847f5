/// One end of a cable: `ip link add NAME type veth peer name PEER netns NAMESPACE`.
package struct Veth: LinkKind {
  package static let making = LinkMaking.withPeer
  package static let needsCarrier = true
  package var word: String { "veth" }
  /// The `ip netns` name of the namespace in which the other end is.
  package var peerNamespace: String
  package var peer: String

  package init(peerNamespace: String, peer: String) {
    self.peerNamespace = peerNamespace
    self.peer = peer
  }

  package var description: String { "veth to \(peer) in \(peerNamespace)" }
  package var features: [KernelFeature] { [.veth] }

  package func carrier(in namespace: String) -> LinkKey? { LinkKey(namespace: peerNamespace, name: peer) }
}
