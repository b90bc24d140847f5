import LabModel
import Netlink

/// What the kernel layer knows of a kind of link: how it is recognised, and what makes it.
///
/// Each kind of ``LinkKinds`` has a file beside this one; one without does not compile.
package protocol KernelLinkKind: LinkKind {
  /// The kind of a link that the kernel describes; `nil` if it is of another.
  init?(_ link: Netlink.Link, in view: any LinkView)
  /// What a request says that creates a link of this kind by itself; `nil` if none does.
  func creation(in target: RequestTarget) throws(StepFailure) -> NewLink.Kind?
  /// The options of its kind to change.
  var bridgeOptions: Netlink.BridgeOptions? { get }
}

extension KernelLinkKind {
  package func creation(in target: RequestTarget) throws(StepFailure) -> NewLink.Kind? { nil }
  package var bridgeOptions: Netlink.BridgeOptions? { nil }
}

/// What a link's description refers to.
package protocol LinkView {
  /// The name that the lab knows a device of the namespace by.
  func name(of index: Int32?) -> String?
  /// The other end of a cable.
  func peer(of link: Netlink.Link) -> LinkKey?
}

extension LinkKind {
  var inKernel: (any KernelLinkKind)? { self as? any KernelLinkKind }
}

private let kinds: [any KernelLinkKind.Type] = list(LinkKinds.self)

private func list<each Kind: KernelLinkKind>(_: (repeat each Kind).Type) -> [any KernelLinkKind.Type] {
  var kinds: [any KernelLinkKind.Type] = []
  repeat kinds.append((each Kind).self)
  return kinds
}

/// The kind of an observed link.
func linkKind(of link: Netlink.Link, in view: any LinkView) -> any LinkKind {
  for kind in kinds {
    if let found = kind.init(link, in: view) { return found }
  }
  return ForeignLink(link.kind?.name ?? "")
}
