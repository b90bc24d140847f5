import Values

@testable import LabKit
@testable import LabModel

/// A kernel that takes steps as the real one does: what is not there cannot be changed, what is there cannot be created.
struct Simulator {
  struct Refusal: Error, CustomStringConvertible { var description: String }

  var state = Blueprint()

  init(_ state: Blueprint = Blueprint()) { self.state = state }

  mutating func apply(_ plan: Plan) throws {
    for step in plan.steps { try apply(step) }
  }

  mutating func apply(_ step: Step) throws {
    func refuse(_ why: String) -> Refusal {
      Refusal(description: "\(why): \(step.commands.joined(separator: "; "))")
    }
    func link(_ namespace: String, _ name: String) throws -> Int {
      guard let index = state.links.firstIndex(where: { $0.namespace == namespace && $0.name == name }) else {
        throw refuse("no device \(name)")
      }
      return index
    }
    func add(_ link: Link) throws {
      guard state.namespaces.contains(where: { $0.name == link.namespace }) else {
        throw refuse("no namespace")
      }
      let names = state.links.filter { $0.namespace == link.namespace }.flatMap { [$0.name] + $0.altnames }
      guard !names.contains(link.name) else { throw refuse("device exists") }
      if let master = link.master {
        guard state.links.contains(where: { $0.namespace == link.namespace && $0.name == master }) else {
          throw refuse("no master \(master)")
        }
      }
      if case .vlan(_, let parent) = link.kind {
        guard state.links.contains(where: { $0.namespace == link.namespace && $0.name == parent }) else {
          throw refuse("no parent \(parent)")
        }
      }
      // Alias and altnames are requests of their own.
      var bare = link
      bare.alias = nil
      bare.altnames = []
      state.links.append(bare)
    }
    switch step {
    case .addNamespace(let namespace):
      guard !state.namespaces.contains(where: { $0.name == namespace.name }) else { throw refuse("exists") }
      state.namespaces.append(namespace)
      state.links.append(Link(namespace: namespace.name, name: "lo", kind: .loopback, isUp: false))
    case .deleteNamespace(let namespace):
      guard state.namespaces.contains(where: { $0.name == namespace.name }) else {
        throw refuse("no namespace")
      }
      for link in state.links where link.namespace == namespace.name { remove(link) }
      state.sysctls.removeAll { $0.namespace == namespace.name }
      state.entries.removeAll { $0.namespace == namespace.name }
      state.namespaces.removeAll { $0.name == namespace.name }
    case .writeSysctl(let sysctl):
      guard state.namespaces.contains(where: { $0.name == sysctl.namespace }) else {
        throw refuse("no namespace")
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
    case .addLink(let link): try add(link)
    case .addVethPair(let outer, var inner):
      try add(outer)
      // The kernel ignores the peer's master, and refuses to create it up.
      inner.isUp = false
      inner.master = nil
      inner.isPromiscuous = false
      try add(inner)
    case .changeLink(let change):
      let index = try link(change.namespace, change.name)
      if change.presentName != nil { throw refuse("nothing has another name here") }
      if let mac = change.mac { state.links[index].mac = mac }
      if let mtu = change.mtu { state.links[index].mtu = mtu }
      if let alias = change.alias { state.links[index].alias = alias }
      if let isUp = change.isUp { state.links[index].isUp = isUp }
      if let isPromiscuous = change.isPromiscuous { state.links[index].isPromiscuous = isPromiscuous }
      if let master = change.master {
        if !master.isEmpty { _ = try link(change.namespace, master) }
        state.links[index].master = master.isEmpty ? nil : master
      }
      if change.bridge != BridgeOptions() {
        guard case .bridge(var options) = state.links[index].kind else { throw refuse("not a bridge") }
        options.vlanFiltering = change.bridge.vlanFiltering ?? options.vlanFiltering
        options.defaultPVID = change.bridge.defaultPVID ?? options.defaultPVID
        options.stp = change.bridge.stp ?? options.stp
        options.forwardDelay = change.bridge.forwardDelay ?? options.forwardDelay
        options.ageingTime = change.bridge.ageingTime ?? options.ageingTime
        options.multicastSnooping = change.bridge.multicastSnooping ?? options.multicastSnooping
        state.links[index].kind = .bridge(options)
      }
    case .changePort(let change), .changeOffloads(let change):
      state.links[try link(change.namespace, change.name)].options.merge(change.options)
    case .addAltname(let name, let owner):
      guard
        !state.links.contains(where: {
          $0.namespace == owner.namespace && ($0.name == name || $0.altnames.contains(name))
        })
      else { throw refuse("altname exists") }
      state.links[try link(owner.namespace, owner.name)].altnames.append(name)
    case .deleteAltname(let name, let owner):
      let index = try link(owner.namespace, owner.name)
      guard let position = state.links[index].altnames.firstIndex(of: name) else {
        throw refuse("no altname")
      }
      state.links[index].altnames.remove(at: position)
    case .deleteLink(let link_):
      remove(state.links[try link(link_.namespace, link_.name)])
    case .addVLAN(let vlan):
      guard state.links[try link(vlan.namespace, vlan.device)].master != nil else {
        throw refuse("not a bridge port")
      }
      state.vlans.removeAll {
        $0.namespace == vlan.namespace && $0.device == vlan.device && $0.vid == vlan.vid
      }
      state.vlans.append(vlan)
    case .deleteVLAN(let vlan):
      let index = state.vlans.firstIndex {
        $0.namespace == vlan.namespace && $0.device == vlan.device && $0.vid == vlan.vid
      }
      guard let index else { throw refuse("no such VLAN") }
      state.vlans.remove(at: index)
    case .addAddress(let address):
      guard state.links[try link(address.namespace, address.device)].isUp else {
        throw refuse("device is down")
      }
      guard !state.addresses.contains(address) else { throw refuse("address exists") }
      state.addresses.append(address)
    case .deleteAddress(let address):
      guard let index = state.addresses.firstIndex(of: address) else { throw refuse("no address") }
      state.addresses.remove(at: index)
    case .addRoute(let route):
      guard let device = route.device, state.links[try link(route.namespace, device)].isUp else {
        throw refuse("network is down")
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
        guard reached else { throw refuse("gateway cannot be reached") }
      }
      guard
        !state.routes.contains(where: {
          $0.namespace == route.namespace && $0.destination == route.destination
        })
      else { throw refuse("route exists") }
      state.routes.append(route)
    case .deleteRoute(let route):
      let index = state.routes.firstIndex {
        $0.namespace == route.namespace && $0.destination == route.destination
      }
      guard let index else { throw refuse("no route") }
      state.routes.remove(at: index)
    case .addEntry(let entry):
      if let device = entry.device { _ = try link(entry.namespace, device) }
      guard !state.entries.contains(entry) else { throw refuse("entry exists") }
      state.entries.append(entry)
    case .deleteEntry(let entry):
      guard let index = state.entries.firstIndex(of: entry) else { throw refuse("no entry") }
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
    state.entries.removeAll { $0.namespace == link.namespace && $0.device == link.name }
    for index in state.links.indices
    where state.links[index].namespace == link.namespace && state.links[index].master == link.name {
      state.links[index].master = nil
      let port = state.links[index].name
      state.vlans.removeAll { $0.namespace == link.namespace && $0.device == port }
    }
    for other in state.links {
      switch other.kind {
      case .veth(let namespace, let peer) where namespace == link.namespace && peer == link.name:
        remove(other)
      case .vlan(_, let parent) where other.namespace == link.namespace && parent == link.name: remove(other)
      default: break
      }
    }
  }
}
