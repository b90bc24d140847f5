import LabModel
import Netlink

extension Veth: KernelLinkKind {
  package init?(_ link: Netlink.Link, in view: any LinkView) {
    guard link.kind == .veth else { return nil }
    let peer = view.peer(of: link)
    self.init(
      peerNamespace: peer?.namespace ?? (link.parent == nil ? "nowhere" : "another namespace"),
      peer: peer?.name ?? link.parent.map { "ifindex \($0)" } ?? "")
  }
}
