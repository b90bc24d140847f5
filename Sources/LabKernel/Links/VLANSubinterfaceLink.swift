import LabModel
import Netlink

extension VLANSubinterface: KernelLinkKind {
  package init?(_ link: Netlink.Link, in view: any LinkView) {
    guard case .vlan(let vlan) = link.kind else { return nil }
    self.init(id: Int(vlan.id), parent: view.name(of: link.parent) ?? "another namespace")
  }

  package func creation(in target: RequestTarget) throws(StepFailure) -> NewLink.Kind? {
    .vlan(VLAN(id: UInt16(id)), parent: try target.index(parent))
  }
}
