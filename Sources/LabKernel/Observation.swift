import LabModel
import Netlink
import Values

/// What the kernel holds of a lab, in the same terms as a blueprint: a function of what was read.
package struct Observation: Sendable {
  package let kernel: KernelState
  package private(set) var blueprint = Blueprint()
  /// Devices in the lab's namespaces that the lab did not make.
  package private(set) var unmanaged: [LabModel.Link] = []

  /// The names that the lab knows its links by, where somebody renamed them: by namespace and ifindex.
  private var knownNames: [String: [Int32: String]] = [:]

  /// - Parameter settings: those that are of interest.
  package init(of kernel: KernelState, ownership: Ownership, settings: [LabModel.Sysctl]) {
    self.kernel = kernel
    let keys = Dictionary(grouping: settings, by: \.namespace)
    let nodes = kernel.nodes.values.sorted { $0.name < $1.name }
    for node in nodes {
      let known = ownership.knownNames(of: node.links, in: node.name)
      if !known.isEmpty { knownNames[node.name] = known }
    }
    for node in nodes {
      blueprint.namespaces.append(Namespace(name: node.name))
      let names = Dictionary(
        node.links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first }
      ).merging(knownNames[node.name] ?? [:]) { _, known in known }
      var own: [Int32: String] = [:]
      for found in node.links {
        let link = link(found, in: node, names)
        if ownership.covers(link) {
          blueprint.links.append(link)
          own[found.index] = link.name
        } else {
          unmanaged.append(link)
        }
      }
      addSettings(keys[node.name] ?? [], of: node)
      addVLANs(of: node, own)
      addAddresses(of: node, own)
      addRoutes(of: node, own)
      blueprint.entries += AddedEntries(node: node, names: own).all
    }
  }

  private mutating func addSettings(_ wanted: [LabModel.Sysctl], of node: NodeState) {
    for sysctl in wanted {
      // A setting that the kernel does not have (no IPv6) is as if it were wanted so.
      blueprint.sysctls.append(
        LabModel.Sysctl(
          namespace: node.name, key: sysctl.key, value: node.settings[sysctl.path] ?? sysctl.value))
    }
  }

  private func link(
    _ link: Netlink.Link, in node: NodeState, _ names: [Int32: String]
  ) -> LabModel.Link {
    let kind = linkKind(of: link, in: View(names: names, peer: peer(of: link, in: node)))
    let name = names[link.index] ?? link.name
    var observed = LabModel.Link(
      namespace: node.name, name: name, kind: kind, mac: link.address,
      mtu: Int(link.mtu), master: link.master.flatMap { names[$0] }, isUp: link.isUp,
      isPromiscuous: link.flags.contains(.promiscuous), alias: link.alias, altnames: link.alternativeNames)
    if name != link.name { observed.presentName = link.name }
    observed.options = link.options
    if let offloads = node.offloads[link.index] { observed.options.add(offloads) }
    return observed
  }

  private struct View: LinkView {
    let names: [Int32: String]
    let peer: LinkKey?

    func name(of index: Int32?) -> String? { index.flatMap { names[$0] } }
    func peer(of link: Netlink.Link) -> LinkKey? { peer }
  }

  private func peer(of link: Netlink.Link, in node: NodeState) -> LinkKey? {
    guard let peer = node.peers[link.index],
      let name = knownNames[peer.namespace]?[peer.index] ?? kernel[peer]?.name
    else { return nil }
    return LinkKey(namespace: peer.namespace, name: name)
  }

  private mutating func addVLANs(of node: NodeState, _ names: [Int32: String]) {
    for port in node.vlans {
      guard let device = names[port.link] else { continue }
      let isOnBridge = if case .bridge = node[port.link]?.kind { true } else { false }
      for vlan in port.vlans {
        var found = LabModel.BridgeVLAN(
          namespace: node.name, device: device, vid: Int(vlan.first), isPVID: vlan.isPVID,
          isUntagged: vlan.isUntagged)
        found.isOnBridge = isOnBridge
        blueprint.vlans.append(found)
      }
    }
  }

  private mutating func addAddresses(of node: NodeState, _ names: [Int32: String]) {
    for found in node.addresses {
      guard let device = names[found.link] else { continue }
      let address = found.address.address
      // What the kernel gives by itself: 127.0.0.1 and ::1, and an IPv6 link-local address for each interface.
      if address.isLoopback || (address.family == .ipv6 && address.isLinkLocal) { continue }
      blueprint.addresses.append(Address(namespace: node.name, device: device, address: found.address))
    }
  }

  private mutating func addRoutes(of node: NodeState, _ names: [Int32: String]) {
    for route in node.routes where route.table == Netlink.Route.mainTable {
      guard route.source != .kernel, route.source != .routerAdvertisement,
        let type = RouteType(route.kind),
        route.link.map({ names[$0] != nil }) != false || route.kind != .unicast
      else { continue }
      blueprint.routes.append(
        RouteEntry(
          namespace: node.name, destination: route.destination, gateway: route.gateway,
          device: route.kind == .unicast ? route.link.flatMap { names[$0] } : nil, type: type,
          metric: route.priority.map(Int.init)))
    }
  }
}
