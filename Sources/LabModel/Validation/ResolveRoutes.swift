import LabKit
import Values

extension Resolver {
  /// Routes: destinations, gateways that the port can reach, one route to a destination in each VM.
  mutating func resolveRoutes() {
    var connected: [Int: [IPPrefix: String]] = [:]
    var routes: [Int: [IPPrefix: SourceLocation]] = [:]
    for declared in declaredPorts {
      for address in port(at: declared.path).addresses {
        connected[declared.path.node, default: [:]][address.subnet] = declared.owner.what
      }
    }
    for declared in declaredPorts where !declared.routes.isEmpty {
      let resolved = declared.routes.compactMap { route -> ResolvedRoute? in
        guard let destination = destination(of: route) else { return nil }
        if let owner = connected[declared.path.node]?[destination] {
          report(
            "\(destination) is the subnet of \(owner), to which the kernel makes a route by itself",
            at: route.location, fix: "leave it out")
          return nil
        }
        let other = routes[declared.path.node, default: [:]].updateValue(route.location, forKey: destination)
        if let other {
          let what = destination.length == 0 ? "a default route" : "a route to \(destination)"
          report(
            "the VM already has \(described(Owner(what: what, location: other), from: route.location))",
            at: route.location, fix: "leave one of them out")
          return nil
        }
        guard let text = route.gateway else {
          return ResolvedRoute(destination: destination, gateway: nil, location: route.location)
        }
        guard let gateway = gateway(text, to: destination, at: route.location) else { return nil }
        return ResolvedRoute(destination: destination, gateway: gateway, location: route.location)
      }
      checkReach(of: resolved, declared: declared)
      withPort(at: declared.path) { $0.routes = resolved }
    }
  }

  private mutating func gateway(
    _ text: String, to destination: IPPrefix, at location: SourceLocation
  ) -> IPAddress? {
    guard let gateway = IPAddress(text) else {
      report(
        "gateway '\(text)' is not an IP address", at: location,
        fix: "write the next hop's address, or use Route.onLink(…) where there is none")
      return nil
    }
    guard gateway.family == destination.family else {
      report(
        "gateway \(gateway) is not of the same family as its destination \(destination)", at: location,
        fix: "write an \(destination.family == .ipv4 ? "IPv4" : "IPv6") address")
      return nil
    }
    return gateway
  }

  /// A gateway can be reached through the port's subnets and through its own on-link routes.
  private mutating func checkReach(of routes: [ResolvedRoute], declared: DeclaredPort) {
    let port = port(at: declared.path)
    // Where an address of the port was refused, what it reaches is not known.
    guard
      port.addresses.count >= max(declared.addresses.count, networks[port.network].subnets.isEmpty ? 0 : 1),
      !unclearNetworks.contains(port.network)
    else { return }
    let subnets = port.addresses.map(\.subnet)
    var reach = subnets + routes.filter { $0.gateway == nil }.map(\.destination)
    if subnets.contains(where: { $0.family == .ipv6 }) { reach += [.linkLocal] }
    for route in routes {
      guard let gateway = route.gateway else { continue }
      if port.addresses.contains(where: { $0.address == gateway }) {
        report(
          "gateway \(gateway) is the address of \(declared.owner.what) itself", at: route.location,
          fix: "write the next hop's address")
      } else if let subnet = subnets.first(where: { $0.broadcast == gateway || $0.networkAddress == gateway })
      {
        let kind = subnet.broadcast == gateway ? "broadcast" : "network"
        report(
          "gateway \(gateway) is the \(kind) address of \(subnet)", at: route.location,
          fix: "write the next hop's address")
      } else if !reach.contains(where: { $0.contains(gateway) }) {
        let all = reach.isEmpty ? "nothing" : reach.map(\.description).joined(separator: ", ")
        report(
          "gateway \(gateway) cannot be reached from \(declared.owner.what), which reaches \(all)",
          at: route.location,
          fix: "write a gateway in there, or add Route.onLink(\"\(gateway)/\(gateway.family.width)\")")
      }
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
        "\(destination) is an address on a subnet, not a route's destination", at: route.location,
        fix: "write \(destination.subnet)")
      return nil
    }
    return destination
  }
}

extension IPPrefix {
  /// `fe80::/10`: every interface with IPv6 reaches its link's.
  fileprivate static let linkLocal = IPPrefix(
    address: IPAddress(family: .ipv6, value: 0xfe80 << 112), length: 10)
}
