import Glibc
import LabModel
import Netlink

extension LabModel.Link: KernelResource {
  package static let aspects: KernelState.Aspects = [.cables, .offloads]

  package static func found(in node: ObservedNode) -> [LabModel.Link] { node.links }

  /// A link that the kernel describes, whoever made it.
  init(_ link: Netlink.Link, of node: NodeState, in view: any LinkView) {
    let name = view.name(of: link.index) ?? link.name
    self.init(
      namespace: node.name, name: name, kind: linkKind(of: link, in: view), mac: link.address,
      mtu: Int(link.mtu), master: view.name(of: link.master), isUp: link.isUp,
      isPromiscuous: link.flags.contains(.promiscuous), alias: link.alias, altnames: link.alternativeNames)
    if name != link.name { presentName = link.name }
    options = link.options
    if let offloads = node.offloads[link.index] { options.add(offloads) }
  }
}

extension LinkStep: RequestStep {
  package var otherNamespace: String? {
    if case .addPair(_, let inner) = self { inner.namespace } else { nil }
  }

  /// A link may have gone with another one, or with its namespace.
  package func isOvertaken(by error: NetlinkError) -> Bool {
    if case .delete = self { error.code == ENODEV } else { false }
  }

  package static func execute(_ steps: [LinkStep], by applier: inout Applier) throws(StepFailure) {
    var settings: [LabModel.Sysctl] = []
    for step in steps {
      switch step {
      case .changeSetting(let sysctl): settings.append(sysctl)
      case .changeOffloads(let change):
        try applier.perform(step, "change offloads of \(change.name)") { namespace throws(NetlinkError) in
          for offload in Offload.allCases {
            guard let value = change.options[offload.option] else { continue }
            try namespace.connection.set(offload, value != 0, ofLink: change.name)
          }
        }
      default: try applier.enqueue(step)
      }
    }
    try applier.write(settings)
  }

  package func append(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    switch self {
    case .add(let link): batch.createLink(try link.request(in: target))
    case .addPair(let outer, let inner): batch.createLink(try outer.request(with: inner, in: target))
    case .change(let change): batch.setLink(try target.index(change.name), try change.request(in: target))
    case .changePort(let change):
      batch.setBridgePort(try target.index(change.name), BridgePortOptions(change.options))
    case .addAltname(let name, let link): batch.addAlternativeName(name, toLink: try target.index(link.name))
    case .deleteAltname(let name, let link):
      batch.deleteAlternativeName(name, fromLink: try target.index(link.name))
    case .delete(let link): batch.deleteLink(try target.index(link.name))
    case .changeOffloads, .changeSetting: break  // no requests of a namespace's connection
    }
  }
}

extension LabModel.Link {
  fileprivate func request(in target: RequestTarget) throws(StepFailure) -> NewLink {
    guard let kind = try kind.inKernel?.creation(in: target) else {
      throw StepFailure(step: target.step, problem: "netlab makes no \(self.kind.word)")
    }
    let master = try master.map { name throws(StepFailure) in try target.index(name) }
    return NewLink(
      kind, name: name, index: target.namespace.assignIndex(to: name), address: mac,
      mtu: mtu.map(UInt32.init),
      master: master, isUp: isUp, isPromiscuous: isPromiscuous)
  }

  /// Both ends of a cable.
  fileprivate func request(
    with inner: LabModel.Link, in target: RequestTarget
  ) throws(StepFailure) -> NewLink {
    let other = try target.other(inner.namespace)
    let peer = NewLink.Peer(
      name: inner.name, namespace: other.namespace.rawDescriptor, index: other.assignIndex(to: inner.name),
      address: inner.mac, mtu: inner.mtu.map(UInt32.init), queues: 1)
    let index = target.namespace.assignIndex(to: name)
    let master = try master.map { name throws(StepFailure) in try target.index(name) }
    return NewLink(
      .veth(peer: peer), name: name, index: index, address: mac, mtu: mtu.map(UInt32.init), master: master,
      isUp: isUp, isPromiscuous: isPromiscuous, queues: 1)
  }
}

extension LabModel.LinkChange {
  fileprivate func request(in target: RequestTarget) throws(StepFailure) -> Netlink.LinkChange {
    Netlink.LinkChange(
      name: presentName == nil ? nil : name, address: mac, mtu: mtu.map(UInt32.init), isUp: isUp,
      isPromiscuous: isPromiscuous,
      master: try master.map { name throws(StepFailure) in name.isEmpty ? 0 : try target.index(name) },
      alias: alias, group: options[.group].map(UInt32.init),
      transmitQueueLength: options[.transmitQueueLength].map(UInt32.init),
      bridge: kind?.inKernel?.bridgeOptions)
  }
}
