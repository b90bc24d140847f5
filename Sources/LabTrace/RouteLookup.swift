import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// What a namespace's routing says of a destination.
enum RouteAnswer {
  case route(Netlink.Route)
  /// A blackhole, unreachable or prohibit route, or a rule of that kind; and what takes it away.
  case refused(String, remedy: String)
  case none
}

extension NodeSnapshot {
  /// Looks a destination up as the kernel does: rules in order of priority, in each table the longest prefix, then
  /// the lowest metric.
  func route(to destination: IPAddress, from source: IPAddress? = nil, input: String? = nil) -> RouteAnswer {
    for rule in rules.sorted(by: { $0.priority < $1.priority })
    where rule.matches(destination, from: source, input: input) {
      switch rule.action {
      case .blackhole, .unreachable, .prohibit:
        return .refused(
          "rule \(rule.priority) (\(rule.action))", remedy: "ip rule del pref \(rule.priority)")
      case .lookUp: break
      default: continue
      }
      guard let entry = bestRoute(to: destination, table: rule.table) else { continue }
      switch entry.kind {
      case .throw: continue
      case .blackhole, .unreachable, .prohibit:
        let route = "\(entry.kind) \(entry.destination)"
        return .refused("route \(route)", remedy: "ip route del \(route)")
      default: return .route(entry)
      }
    }
    return .none
  }

  private func bestRoute(to destination: IPAddress, table: UInt32) -> Netlink.Route? {
    routes.filter { $0.table == table && $0.destination.contains(destination) }
      .max { ($0.destination.length, $1.priority ?? 0) < ($1.destination.length, $0.priority ?? 0) }
  }

  /// The address that packets get which the sender gave none.
  func source(for entry: Netlink.Route, to nextHop: IPAddress) -> IPAddress? {
    if let preferred = entry.preferredAddress { return preferred }
    let usable = addresses.filter {
      $0.address.family == nextHop.family && !$0.isDuplicate && !$0.isTentative
        && !$0.address.address.isLoopback
    }
    let own = usable.filter { $0.link == entry.firstLink }
    let global = own.filter { !$0.address.address.isLinkLocal || nextHop.isLinkLocal }
    return (global.first { $0.address.contains(nextHop) } ?? global.first ?? own.first ?? usable.first)?
      .address.address
  }

  /// Why a packet from `source` is refused on a device (`fib_validate_source`); nil if it is not.
  func sourceProblem(_ source: IPAddress, on device: Device) -> (
    reason: DropReason, explanation: String, remedy: String?
  )? {
    guard source.family == .ipv4 else { return nil }
    if address(source) != nil {
      return (
        .martianSource, "\(source), where the packet comes from, is an address of the receiver's own", nil
      )
    }
    let filter = max(device.reversePathFilter, number("net/ipv4/conf/all/rp_filter"))
    guard filter > 0 else { return nil }
    let isLoose = filter == 2
    let remedy = "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.\(device.name).rp_filter=0"
    guard case .route(let back) = route(to: source), back.kind == .unicast else {
      return (.reversePath, "rp_filter is \(filter), and there is no route back to \(source)", remedy)
    }
    if !isLoose, back.firstLink != device.index {
      let other = back.firstLink.flatMap { devices[$0]?.name } ?? "elsewhere"
      return (.reversePath, "rp_filter is 1 (strict), and the way back to \(source) is by \(other)", remedy)
    }
    return nil
  }
}

extension Rule {
  fileprivate func matches(_ destination: IPAddress, from source: IPAddress?, input: String?) -> Bool {
    guard isIPv6 == (destination.family == .ipv6), mark == nil, outputLink == nil else { return false }
    if let wanted = self.destination, !wanted.contains(destination) { return false }
    if let wanted = self.source, !(source.map(wanted.contains) ?? false) { return false }
    return inputLink == nil || inputLink == input
  }
}

// Of several ways, the first stands for all.
extension Netlink.Route {
  var firstGateway: IPAddress? { gateway ?? nextHops.first?.gateway }
  var firstLink: Int32? { link ?? nextHops.first?.link }
}

extension NodeSnapshot {
  /// A route as `ip route` writes it.
  func text(of route: Netlink.Route) -> String {
    var route = route
    (route.gateway, route.link) = (route.firstGateway, route.firstLink)
    return route.text { devices[$0]?.name }
  }
}
