import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

/// What a bridge knows about a MAC: a row of `netlab show LAB fdb`.
package struct ForwardingView: Codable, Sendable {
  package var node: String
  package var bridge: String
  package var mac: String
  package var port: String
  package var vlan: Int?
  /// `learned`, `static`, or `own` for what belongs to the bridge and its ports themselves.
  package var kind: String
  /// The VM's interface that has this MAC.
  package var owner: String?
}

/// A row of `netlab show LAB neighbours`.
package struct NeighbourView: Codable, Sendable {
  package var node: String
  package var address: String
  package var device: String
  package var mac: String?
  /// As `ip neighbour` writes it: `REACHABLE`, `STALE` …
  package var state: String
  /// The VM's interface that has this MAC.
  package var owner: String?
}

/// A row of `netlab show LAB routes`.
package struct RouteView: Codable, Sendable {
  package var node: String
  package var destination: String
  package var gateway: String?
  package var device: String?
  /// `unicast`, `blackhole` …
  package var kind: String
  package var source: String?
  package var metric: Int?
  package var table: String
  /// Who made it: `kernel`, `static` …
  package var origin: String
}

extension Inspection {
  /// What the bridges have learned: `bridge fdb show`, without the devices' own addresses unless asked for.
  package func forwarding(withOwn: Bool = false) -> [ForwardingView] {
    let owners = owners
    return nodes.flatMap { node in
      node.state.forwarding.compactMap { entry -> ForwardingView? in
        // Entries of a device that is no bridge or port are its multicast filter.
        guard let bridge = entry.master ?? bridgeIndex(entry.link, in: node),
          !entry.address.isMulticast
        else { return nil }
        let isOwn = entry.state.contains(.permanent)
        guard withOwn || !isOwn else { return nil }
        return ForwardingView(
          node: node.name, bridge: node.name(of: bridge), mac: "\(entry.address)",
          port: node.name(of: entry.link),
          vlan: entry.vlan.map(Int.init),
          kind: isOwn ? "own" : entry.state.contains(.noARP) ? "static" : "learned",
          owner: owners[entry.address].map { "\($0)" })
      }.sorted { ($0.bridge, $0.vlan ?? 0, $0.mac) < ($1.bridge, $1.vlan ?? 0, $1.mac) }
    }
  }

  private func bridgeIndex(_ index: Int32, in node: Node) -> Int32? {
    if case .bridge = node.state[index]?.kind { index } else { nil }
  }

  /// The neighbour tables of all nodes: `ip neighbour show`.
  package func neighbours() -> [NeighbourView] {
    let owners = owners
    return nodes.flatMap { node in
      node.state.neighbours.compactMap { entry -> NeighbourView? in
        guard entry.state != .noARP else { return nil }
        let mac = entry.linkLayerAddress
        return NeighbourView(
          node: node.name, address: "\(entry.address)", device: node.name(of: entry.link),
          mac: mac.map { "\($0)" },
          state: "\(entry.state)", owner: mac.flatMap { owners[$0] }.map { "\($0)" })
      }.sorted { ($0.device, $0.address) < ($1.device, $1.address) }
    }
  }

  /// The routes of all nodes: `ip route show`, with the local table (the nodes' own addresses) only if asked for.
  package func routes(withLocal: Bool = false) -> [RouteView] {
    nodes.flatMap { node in
      node.state.routes.compactMap { route -> RouteView? in
        guard
          withLocal || route.table != Netlink.Route.localTable && !route.destination.address.isMulticast
        else { return nil }
        return RouteView(
          node: node.name, destination: route.destinationText,
          gateway: route.gateway.map { "\($0)" },
          device: route.link.map { node.name(of: $0) }, kind: "\(route.kind)",
          source: route.preferredAddress.map { "\($0)" },
          metric: route.priority.map(Int.init), table: Netlink.Route.name(ofTable: route.table),
          origin: "\(route.source)")
      }
    }
  }
}
