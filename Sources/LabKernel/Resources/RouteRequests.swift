import LabModel
import Netlink
import Values

extension RouteEntry: KernelResource, Requested {
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
