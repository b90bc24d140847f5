import LabModel
import Netlink

extension Loopback: KernelLinkKind {
  package init?(_ link: Netlink.Link, in view: any LinkView) {
    guard link.kind == nil, link.index == 1 else { return nil }
    self.init()
  }
}
