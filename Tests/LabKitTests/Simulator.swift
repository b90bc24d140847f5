import Values

@testable import LabKit
@testable import LabModel

/// A kernel that takes steps as the real one does: what is not there cannot be changed, what is there cannot be created.
struct Simulator {
  struct Refusal: Error, CustomStringConvertible { var description: String }

  var state = Blueprint()

  init(_ state: Blueprint = Blueprint()) { self.state = state }

  mutating func apply(_ plan: Plan) throws {
    for step in plan.lists.flatMap(\.erased) { try apply(step) }
  }

  mutating func apply(_ step: any PlanStep) throws {
    switch step {
    case let step as Namespace.Step: try apply(step)
    case let step as Sysctl.Step: try write(step.sysctl, step)
    case let step as LinkStep: try apply(step)
    case let step as BridgeVLAN.Step: try apply(step)
    case let step as Address.Step: try apply(step)
    case let step as RouteEntry.Step: try apply(step)
    case let step as Qdisc.Step: try apply(step)
    case let step as TableEntry.Step: try apply(step)
    default: throw refuse("nobody knows the step", step)
    }
  }

  private func refuse(_ why: String, _ step: any PlanStep) -> Refusal {
    Refusal(description: "\(why): \(step.commands.joined(separator: "; "))")
  }

  private func link(_ namespace: String, _ name: String, _ step: any PlanStep) throws -> Int {
    guard let index = state.links.firstIndex(where: { $0.namespace == namespace && $0.name == name }) else {
      throw refuse("no device \(name)", step)
    }
    return index
  }

  private mutating func apply(_ step: Namespace.Step) throws {
    switch step {
    case .add(let namespace):
      guard !state.namespaces.contains(where: { $0.name == namespace.name }) else {
        throw refuse("exists", step)
      }
      state.namespaces.append(namespace)
      state.links.append(Link(namespace: namespace.name, name: "lo", kind: Loopback(), isUp: false))
    case .delete(let namespace):
      guard state.namespaces.contains(where: { $0.name == namespace.name }) else {
        throw refuse("no namespace", step)
      }
      for link in state.links where link.namespace == namespace.name { remove(link) }
      state.sysctls.removeAll { $0.namespace == namespace.name }
      state.entries.removeAll { $0.namespace == namespace.name }
      state.namespaces.removeAll { $0.name == namespace.name }
    }
  }

  private mutating func write(_ sysctl: Sysctl, _ step: any PlanStep) throws {
    guard state.namespaces.contains(where: { $0.name == sysctl.namespace }) else {
      throw refuse("no namespace", step)
    }
    var written = [sysctl]
    if sysctl.key == "net.ipv6.conf.all.disable_ipv6" {
      written.append(sysctl)
      written[1].key = "net.ipv6.conf.default.disable_ipv6"
    }
    state.sysctls.removeAll { old in
      written.contains { $0.namespace == old.namespace && $0.key == old.key }
    }
    state.sysctls += written
  }

  private mutating func add(_ link: Link, _ step: any PlanStep) throws {
    guard state.namespaces.contains(where: { $0.name == link.namespace }) else {
      throw refuse("no namespace", step)
    }
    let names = state.links.filter { $0.namespace == link.namespace }.flatMap { [$0.name] + $0.altnames }
    guard !names.contains(link.name) else { throw refuse("device exists", step) }
    if let master = link.master {
      guard state.links.contains(where: { $0.namespace == link.namespace && $0.name == master }) else {
        throw refuse("no master \(master)", step)
      }
    }
    if let parent = (link.kind as? VLANSubinterface)?.parent {
      guard state.links.contains(where: { $0.namespace == link.namespace && $0.name == parent }) else {
        throw refuse("no parent \(parent)", step)
      }
    }
    // Alias and altnames are requests of their own.
    var bare = link
    bare.alias = nil
    bare.altnames = []
    state.links.append(bare)
  }

  private mutating func apply(_ step: LinkStep) throws {
    switch step {
    case .add(let link): try add(link, step)
    case .addPair(let outer, var inner):
      try add(outer, step)
      // The kernel ignores the peer's master, and refuses to create it up.
      inner.isUp = false
      inner.master = nil
      inner.isPromiscuous = false
      try add(inner, step)
    case .change(let change):
      let index = try link(change.namespace, change.name, step)
      if change.presentName != nil { throw refuse("nothing has another name here", step) }
      if let mac = change.mac { state.links[index].mac = mac }
      if let mtu = change.mtu { state.links[index].mtu = mtu }
      if let alias = change.alias { state.links[index].alias = alias }
      if let isUp = change.isUp { state.links[index].isUp = isUp }
      if let isPromiscuous = change.isPromiscuous { state.links[index].isPromiscuous = isPromiscuous }
      if let master = change.master {
        if !master.isEmpty { _ = try link(change.namespace, master, step) }
        state.links[index].master = master.isEmpty ? nil : master
      }
      if let wanted = change.kind as? Bridge {
        guard var bridge = state.links[index].kind as? Bridge else { throw refuse("not a bridge", step) }
        bridge.vlanFiltering = wanted.vlanFiltering ?? bridge.vlanFiltering
        bridge.defaultPVID = wanted.defaultPVID ?? bridge.defaultPVID
        bridge.stp = wanted.stp ?? bridge.stp
        bridge.forwardDelay = wanted.forwardDelay ?? bridge.forwardDelay
        bridge.ageingTime = wanted.ageingTime ?? bridge.ageingTime
        bridge.multicastSnooping = wanted.multicastSnooping ?? bridge.multicastSnooping
        state.links[index].kind = bridge
      }
    case .changeSetting(let sysctl): try write(sysctl, step)
    case .changePort(let change), .changeOffloads(let change):
      state.links[try link(change.namespace, change.name, step)].options.merge(change.options)
    case .addAltname(let name, let owner):
      guard
        !state.links.contains(where: {
          $0.namespace == owner.namespace && ($0.name == name || $0.altnames.contains(name))
        })
      else { throw refuse("altname exists", step) }
      state.links[try link(owner.namespace, owner.name, step)].altnames.append(name)
    case .deleteAltname(let name, let owner):
      let index = try link(owner.namespace, owner.name, step)
      guard let position = state.links[index].altnames.firstIndex(of: name) else {
        throw refuse("no altname", step)
      }
      state.links[index].altnames.remove(at: position)
    case .delete(let link_):
      remove(state.links[try link(link_.namespace, link_.name, step)])
    }
  }

  private mutating func apply(_ step: BridgeVLAN.Step) throws {
    switch step {
    case .add(let vlan):
      guard state.links[try link(vlan.namespace, vlan.device, step)].master != nil else {
        throw refuse("not a bridge port", step)
      }
      state.vlans.removeAll {
        $0.namespace == vlan.namespace && $0.device == vlan.device && $0.vid == vlan.vid
      }
      state.vlans.append(vlan)
    case .delete(let vlan):
      let index = state.vlans.firstIndex {
        $0.namespace == vlan.namespace && $0.device == vlan.device && $0.vid == vlan.vid
      }
      guard let index else { throw refuse("no such VLAN", step) }
      state.vlans.remove(at: index)
    }
  }

  private mutating func apply(_ step: Address.Step) throws {
    switch step {
    case .add(let address):
      guard state.links[try link(address.namespace, address.device, step)].isUp else {
        throw refuse("device is down", step)
      }
      guard !state.addresses.contains(address) else { throw refuse("address exists", step) }
      state.addresses.append(address)
    case .delete(let address):
      guard let index = state.addresses.firstIndex(of: address) else { throw refuse("no address", step) }
      state.addresses.remove(at: index)
    }
  }

  private mutating func apply(_ step: RouteEntry.Step) throws {
    switch step {
    case .add(let route):
      guard let device = route.device, state.links[try link(route.namespace, device, step)].isUp else {
        throw refuse("network is down", step)
      }
      if let gateway = route.gateway, !gateway.isLinkLocal {
        let reached =
          state.addresses.contains {
            $0.namespace == route.namespace && $0.device == device && $0.address.contains(gateway)
          }
          || state.routes.contains {
            $0.namespace == route.namespace && $0.device == device && $0.gateway == nil
              && $0.destination.contains(gateway)
          }
        guard reached else { throw refuse("gateway cannot be reached", step) }
      }
      guard
        !state.routes.contains(where: {
          $0.namespace == route.namespace && $0.destination == route.destination
        })
      else { throw refuse("route exists", step) }
      state.routes.append(route)
    case .delete(let route):
      let index = state.routes.firstIndex {
        $0.namespace == route.namespace && $0.destination == route.destination
      }
      guard let index else { throw refuse("no route", step) }
      state.routes.remove(at: index)
    }
  }

  private mutating func apply(_ step: Qdisc.Step) throws {
    let (namespace, device) = (step.resource.namespace, step.resource.device)
    _ = try link(namespace, device, step)
    // What a person put there would only be replaced.
    guard
      !state.entries.contains(where: {
        $0.table == .qdisc && $0.device == device && $0.namespace == namespace
      })
    else { throw refuse("another one is there", step) }
    let present = state.qdiscs.count { $0.namespace == namespace && $0.device == device }
    state.qdiscs.removeAll { $0.namespace == namespace && $0.device == device }
    switch step {
    case .add(let qdisc): state.qdiscs.append(qdisc)
    case .delete: if present == 0 { throw refuse("no qdisc", step) }
    }
  }

  private mutating func apply(_ step: TableEntry.Step) throws {
    switch step {
    case .add(let entry):
      if let device = entry.device { _ = try link(entry.namespace, device, step) }
      guard !state.entries.contains(entry) else { throw refuse("entry exists", step) }
      state.entries.append(entry)
    case .delete(let entry):
      guard let index = state.entries.firstIndex(of: entry) else { throw refuse("no entry", step) }
      state.entries.remove(at: index)
    }
  }

  /// Removes a link with all that goes with it.
  private mutating func remove(_ link: Link) {
    guard state.links.contains(where: { $0.namespace == link.namespace && $0.name == link.name }) else {
      return
    }
    state.links.removeAll { $0.namespace == link.namespace && $0.name == link.name }
    state.addresses.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    state.routes.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    state.vlans.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    state.qdiscs.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    state.entries.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    for index in state.links.indices
    where state.links[index].namespace == link.namespace && state.links[index].master == link.name {
      state.links[index].master = nil
      let port = state.links[index].name
      state.vlans.removeAll { $0.namespace == link.namespace && $0.device == port }
    }
    for other in state.links {
      if let veth = other.kind as? Veth, veth.peerNamespace == link.namespace, veth.peer == link.name {
        remove(other)
      }
      if let subinterface = other.kind as? VLANSubinterface, other.namespace == link.namespace,
        subinterface.parent == link.name
      {
        remove(other)
      }
    }
  }
}
