import LabKit
import LabMachine
import LabModel
import Netlink
import Values

extension Batch {
  /// Appends the one request that a step is.
  mutating func append(
    _ step: Step, in namespace: OpenNamespace, others: OpenNamespaces
  ) throws(StepFailure) {
    func index(_ device: String) throws(StepFailure) -> Int32 {
      guard let index = namespace.indices[device] else {
        throw StepFailure(step: step, problem: "there is no link \(device) in \(namespace.name)")
      }
      return index
    }
    switch step {
    case .addLink(let link):
      let master = try link.master.map(index)
      let kind: NewLink.Kind
      switch link.kind {
      case .bridge(let options): kind = .bridge(Netlink.BridgeOptions(options))
      case .vlan(let id, let parent): kind = .vlan(VLAN(id: UInt16(id)), parent: try index(parent))
      case .loopback, .veth, .other:
        throw StepFailure(step: step, problem: "netlab makes no \(link.kind.word)")
      }
      createLink(
        NewLink(
          kind, name: link.name, index: namespace.assignIndex(to: link.name), address: link.mac?.bytes,
          mtu: link.mtu.map(UInt32.init), master: master, isUp: link.isUp, isPromiscuous: link.isPromiscuous))
    case .addVethPair(let outer, let inner):
      guard let other = others[inner.namespace] else {
        throw StepFailure(step: step, problem: "there is no namespace \(inner.namespace)")
      }
      let peer = NewLink.Peer(
        name: inner.name, namespace: other.namespace.rawDescriptor, index: other.assignIndex(to: inner.name),
        address: inner.mac?.bytes, mtu: inner.mtu.map(UInt32.init), queues: 1)
      createLink(
        NewLink(
          .veth(peer: peer), name: outer.name, index: namespace.assignIndex(to: outer.name),
          address: outer.mac?.bytes, mtu: outer.mtu.map(UInt32.init), master: try outer.master.map(index),
          isUp: outer.isUp, isPromiscuous: outer.isPromiscuous, queues: 1))
    case .changeLink(let change):
      setLink(
        try index(change.name),
        Netlink.LinkChange(
          name: change.presentName == nil ? nil : change.name, address: change.mac?.bytes,
          mtu: change.mtu.map(UInt32.init), isUp: change.isUp,
          isPromiscuous: change.isPromiscuous,
          master: try change.master.map { name throws(StepFailure) in name.isEmpty ? 0 : try index(name) },
          alias: change.alias, group: change.options[.group].map(UInt32.init),
          transmitQueueLength: change.options[.transmitQueueLength].map(UInt32.init),
          bridge: change.bridge.words.isEmpty ? nil : Netlink.BridgeOptions(change.bridge)))
    case .changePort(let change): setBridgePort(try index(change.name), BridgePortOptions(change.options))
    case .addAltname(let name, let link): addAlternativeName(name, toLink: try index(link.name))
    case .deleteAltname(let name, let link): deleteAlternativeName(name, fromLink: try index(link.name))
    case .deleteLink(let link): deleteLink(try index(link.name))
    case .addVLAN(let vlan):
      addBridgeVLAN(Netlink.BridgeVLAN(vlan), toPort: try index(vlan.device), onBridge: vlan.isOnBridge)
    case .deleteVLAN(let vlan):
      deleteBridgeVLAN(Netlink.BridgeVLAN(vlan), fromPort: try index(vlan.device), onBridge: vlan.isOnBridge)
    case .addAddress(let address): addAddress(LinkAddress(address, link: try index(address.device)))
    case .deleteAddress(let address): deleteAddress(LinkAddress(address, link: try index(address.device)))
    case .addRoute(let route): addRoute(Netlink.Route(route, link: try route.device.map(index)))
    case .deleteRoute(let route):
      // Whoever added it: of the source and the scope, any will do.
      var found = Netlink.Route(route, link: try route.device.map(index))
      (found.source, found.scope) = (.unspecified, .nowhere)
      deleteRoute(found)
    case .addEntry(let entry): addEntry(entry.message, to: entry.table.kernelTable)
    case .deleteEntry(let entry): deleteEntry(entry.message, from: entry.table.kernelTable)
    // These are no requests of a namespace's connection.
    case .addNamespace, .deleteNamespace, .writeSysctl, .changeOffloads: break
    }
  }
}

extension Netlink.BridgeOptions {
  fileprivate init(_ options: LabModel.BridgeOptions) {
    self.init(
      vlanFiltering: options.vlanFiltering, vlanDefaultPVID: options.defaultPVID.map(UInt16.init),
      stpState: options.stp, forwardDelay: options.forwardDelay.map(UInt32.init),
      ageingTime: options.ageingTime.map(UInt32.init), multicastSnooping: options.multicastSnooping)
  }
}

extension Netlink.BridgeVLAN {
  fileprivate init(_ vlan: LabModel.BridgeVLAN) {
    self.init(UInt16(vlan.vid), isPVID: vlan.isPVID, isUntagged: vlan.isUntagged)
  }
}

extension LinkAddress {
  fileprivate init(_ address: Address, link: Int32) {
    // The lab's addresses are checked to be unique, so IPv6 need not spend a second looking for another owner.
    self.init(
      link: link, address: address.address.address.bytes, prefixLength: UInt8(address.address.length),
      skipsDuplicateDetection: address.address.family == .ipv6)
  }
}

extension Netlink.Route {
  fileprivate init(_ route: RouteEntry, link: Int32?) {
    self.init(
      to: route.destination.address.bytes, prefixLength: UInt8(route.destination.length),
      via: route.gateway?.bytes, link: link, priority: route.metric == 0 ? nil : UInt32(route.metric),
      kind: Netlink.Route.words.first { $0.value == route.type }?.key ?? .unicast)
  }
}
