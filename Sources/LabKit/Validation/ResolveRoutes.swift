extension Resolver {
  /// Routes: destinations, gateways that the port can reach, one default route per VM and family.
  mutating func resolveRoutes() {
    var routes: [Int: [IPPrefix: SourceLocation]] = [:]
    forEachDeclaredPort { resolver, path, declared in
      let resolved = declared.routes.compactMap { route -> ResolvedRoute? in
        guard let destination = resolver.destination(of: route) else { return nil }
        if let other = routes[path.vm]?[destination] {
          let what = destination.length == 0 ? "a default route" : "a route to \(destination)"
          resolver.report(
            "the VM already has \(what), \(resolver.declared(other, from: route.location))",
            at: route.location)
          return nil
        }
        routes[path.vm, default: [:]][destination] = route.location
        guard let gateway = route.gateway else {
          return ResolvedRoute(destination: destination, gateway: nil, location: route.location)
        }
        guard let address = IPAddress(gateway), address.family == destination.family else {
          resolver.report(
            "gateway '\(gateway)' is not an address of the same family as \(destination)", at: route.location)
          return nil
        }
        return ResolvedRoute(destination: destination, gateway: address, location: route.location)
      }
      // A gateway can be reached through the port's subnets and through its own on-link routes.
      let port = resolver.port(at: path)
      let onLink = port.addresses.map(\.subnet) + resolved.filter { $0.gateway == nil }.map(\.destination)
      for route in resolved {
        guard let gateway = route.gateway else { continue }
        if port.addresses.contains(where: { $0.address == gateway }) {
          resolver.report("gateway \(gateway) is the port's own address", at: route.location)
        } else if !onLink.contains(where: { $0.contains(gateway) }) {
          let reach = onLink.map(\.description).joined(separator: ", ")
          resolver.report(
            "gateway \(gateway) cannot be reached from \(port.device): it reaches \(reach.isEmpty ? "nothing" : reach)",
            at: route.location,
            fix:
              "use a gateway in a subnet of the port, or add Route.onLink(\"\(gateway)/\(gateway.family.width)\")"
          )
        }
      }
      resolver.withPort(at: path) { $0.routes = resolved }
    }
  }

  private mutating func destination(of route: Route) -> IPPrefix? {
    if route.destination == "default" {
      let family = route.gateway.flatMap { IPAddress($0)?.family } ?? .ipv4
      return IPPrefix(address: IPAddress(family: family, value: 0), length: 0)
    }
    guard let destination = IPPrefix(route.destination) else {
      let address = IPAddress(route.destination)
      report(
        "'\(route.destination)' is not a route's destination", at: route.location,
        fix: address.map { "write \($0)/\($0.family.width) for one address" }
          ?? "write ADDRESS/LENGTH, or \"default\"")
      return nil
    }
    if destination.subnet != destination {
      report(
        "\(destination) has host bits set, which the kernel refuses", at: route.location,
        fix: "write \(destination.subnet)")
      return nil
    }
    return destination
  }
}
