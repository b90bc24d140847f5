import LabModel
import Netlink
import Values

/// A namespace as its lab sees it: what was read there, and what of it is the lab's.
package struct ObservedNode {
  let state: NodeState
  /// The settings of interest.
  let settings: [LabModel.Sysctl]
  /// Those that the lab made.
  private(set) var links: [LabModel.Link] = []
  /// Those that it did not make.
  private(set) var unmanaged: [LabModel.Link] = []
  private var names: [Int32: String] = [:]

  init(
    _ state: NodeState, of kernel: KernelState, renamed: RenamedLinks, ownership: Ownership,
    settings: [LabModel.Sysctl]
  ) {
    self.state = state
    self.settings = settings
    let view: any LinkView = View(
      node: state, names: renamed.byNamespace[state.name] ?? [:], kernel: kernel, renamed: renamed)
    for found in state.links {
      let link = LabModel.Link(found, of: state, in: view)
      if ownership.covers(link) {
        links.append(link)
        names[found.index] = link.name
      } else {
        unmanaged.append(link)
      }
    }
  }

  /// The `ip netns` name.
  var name: String { state.name }

  /// The name that the lab knows one of its own devices by; `nil` for others, for what is at those is not the lab's.
  func name(of index: Int32?) -> String? { index.flatMap { names[$0] } }
}

/// The names that a lab knows its links by, where somebody renamed them.
struct RenamedLinks {
  /// By namespace and ifindex.
  private(set) var byNamespace: [String: [Int32: String]] = [:]

  init(of kernel: KernelState, _ ownership: Ownership) {
    for node in kernel.nodes.values {
      let known = ownership.knownNames(of: node.links, in: node.name)
      if !known.isEmpty { byNamespace[node.name] = known }
    }
  }

  subscript(place: Place) -> String? { byNamespace[place.namespace]?[place.index] }
}

private struct View: LinkView {
  let node: NodeState
  let names: [Int32: String]
  let kernel: KernelState
  let renamed: RenamedLinks

  func name(of index: Int32?) -> String? { index.flatMap { names[$0] ?? node[$0]?.name } }

  func peer(of link: Netlink.Link) -> LinkKey? {
    guard let peer = node.peers[link.index], let name = renamed[peer] ?? kernel[peer]?.name else {
      return nil
    }
    return LinkKey(namespace: peer.namespace, name: name)
  }
}
