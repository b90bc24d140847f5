import LabModel
import Netlink
import Values

extension RouteEntry: KernelResource, Requested {
  package static let aspects: KernelState.Aspects = .mainRoutes

  /// Those that a person may have added.
  package static func found(in node: ObservedNode) -> [RouteEntry] {
    node.state.routes.compactMap { route in
      let device = node.name(of: route.link)
      guard route.table == Netlink.Route.mainTable, route.source != .kernel,
        route.source != .routerAdvertisement, let type = RouteType(route.kind),
        route.link == nil || device != nil || type != .unicast
      else { return nil }
      return RouteEntry(
        namespace: node.name, destination: route.destination, gateway: route.gateway,
        device: type == .unicast ? device : nil, type: type, metric: route.priority.map(Int.init))
    }
  }

  private func request(_ target: RequestTarget) throws(StepFailure) -> Netlink.Route {
    let link = try device.map { name throws(StepFailure) in try target.index(name) }
    return Netlink.Route(
      to: destination, via: gateway, link: link, priority: metric == 0 ? nil : UInt32(metric),
      kind: Netlink.Route.Kind(type))
  }

  package func appendAdding(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.addRoute(try request(target))
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    // Whoever added it: of the source and the scope, any will do.
    var route = try request(target)
    (route.source, route.scope) = (.unspecified, .nowhere)
    batch.deleteRoute(route)
  }
}

extension Netlink.Route.Kind {
  init(_ type: RouteType) {
    switch type {
    case .unicast: self = .unicast
    case .blackhole: self = .blackhole
    case .unreachable: self = .unreachable
    case .prohibit: self = .prohibit
    }
  }
}

extension RouteType {
  /// The type of a route that a person may have added; `nil` for the kernel's own kinds.
  init?(_ kind: Netlink.Route.Kind) {
    guard let type = Self.allCases.first(where: { Netlink.Route.Kind($0) == kind }) else { return nil }
    self = type
  }
}
