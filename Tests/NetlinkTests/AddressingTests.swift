import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces)) struct AddressingTests {
  let documentation6: IPAddress = "2001:db8::1"

  /// A namespace with a link that has a carrier (index 20, `a`).
  private func host() throws -> TestNamespace {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.veth(peer: .init(name: "b", index: 21)), name: "a", index: 20, isUp: true))
      $0.setLink(21, LinkChange(isUp: true))
      $0.setLink(1, LinkChange(isUp: true))
    }
    return host
  }

  @Test func addresses() throws {
    let host = try host()
    let ipv4 = LinkAddress(link: 20, address: "192.168.21.52/24", broadcast: "192.168.21.255")
    let ipv6 = LinkAddress(link: 20, address: "2001:db8::1/64", skipsDuplicateDetection: true)
    try host.perform {
      $0.addAddress(ipv4)
      $0.addAddress(ipv6)
    }
    let info = try host.ip("address", "show", "dev", "a")[0]["addr_info"].array
    let first = try #require(info.first { $0["local"].string == "192.168.21.52" })
    #expect(first["prefixlen"].int == 24 && first["broadcast"].string == "192.168.21.255")
    let second = try #require(info.first { $0["local"].string == "2001:db8::1" })
    #expect(second["prefixlen"].int == 64 && second["nodad"].bool == true && second["tentative"].bool == nil)

    let read = try host.connection.addresses(ofLink: 20)
    let readIPv4 = try #require(read.first { $0.address == ipv4.address })
    #expect(readIPv4.broadcast == ipv4.broadcast && readIPv4.link == 20)
    let readIPv6 = try #require(read.first { $0.address == ipv6.address })
    #expect(readIPv6.skipsDuplicateDetection && !readIPv6.isTentative)
    let groups = try host.connection.multicastGroups().filter { $0.link == 20 }
    let listed = try host.ip("-6", "maddress", "show", "dev", "a")[0]["maddr"].array.map {
      $0["address"].string
    }
    #expect(groups.contains(MulticastGroup(soliciting: documentation6, onLink: 20)))
    #expect(listed.contains("ff02::1:ff00:1") && groups.count == listed.count, "\(groups), \(listed)")
    #expect(!read.contains { $0.link != 20 })
    #expect(try host.failure { $0.addAddress(ipv4) }.codeName == "EEXIST")

    try host.perform {
      $0.deleteAddress(ipv4)
      $0.deleteAddress(ipv6)
    }
    let rest = try host.ip("address", "show", "dev", "a")[0]["addr_info"].array
    #expect(!rest.contains { $0["scope"].string == "global" })
    #expect(try host.failure { $0.deleteAddress(ipv4) }.codeName == "EADDRNOTAVAIL")
  }

  @Test func routes() throws {
    let host = try host()
    try host.perform {
      $0.addAddress(LinkAddress(link: 20, address: "10.0.0.1/24"))
      $0.addRoute(Route(to: "0.0.0.0/0", via: "10.0.0.254", link: 20, priority: 50, mtu: 1400))
      $0.addRoute(Route(to: "172.16.0.0/12", link: 20))
      $0.addRoute(Route(to: "10.9.0.0/16", via: "99.0.0.1", link: 20, isOnLink: true))
      $0.addRoute(Route(to: "10.1.0.0/16", table: 1000, kind: .blackhole))
      $0.addRoute(Route(to: "10.2.0.0/16", kind: .unreachable))
      $0.addRoute(Route(to: "10.3.0.0/16", kind: .prohibit, source: .boot))
      $0.addRoute(Route(to: "2001:db8::1/128", link: 20, preferredAddress: nil))
    }
    let routes = try host.ip("route", "show", "table", "all").array
    func route(_ destination: String) throws -> JSON {
      try #require(routes.first { $0["dst"].string == destination })
    }
    let byDefault = try route("default")
    #expect(byDefault["gateway"].string == "10.0.0.254" && byDefault["metric"].int == 50)
    #expect(byDefault["protocol"].string == "static" && byDefault["metrics"][0]["mtu"].int == 1400)
    #expect(try route("172.16.0.0/12")["scope"].string == "link")
    #expect(try route("10.9.0.0/16")["flags"].strings == ["onlink"])
    #expect(try route("10.1.0.0/16")["type"].string == "blackhole")
    #expect(try route("10.1.0.0/16")["table"].string == "1000")
    #expect(try route("10.2.0.0/16")["type"].string == "unreachable")
    #expect(try route("10.3.0.0/16")["type"].string == "prohibit")
    #expect(try host.ip("-6", "route", "show").array.contains { $0["dst"].string == "2001:db8::1" })

    let read = try host.connection.routes(table: Route.mainTable)
    let expected = Route(
      to: "0.0.0.0/0", via: "10.0.0.254", link: 20, priority: 50, scope: .universe, mtu: 1400)
    #expect(read.contains(expected))
    #expect(read.allSatisfy { $0.table == Route.mainTable })
    #expect(read.contains { $0.destination == "10.9.0.0/16" && $0.isOnLink })
    #expect(read.contains { $0.destination == "2001:db8::1/128" })
    #expect(try host.connection.routes(table: 1000).map(\.kind) == [.blackhole])
    #expect(try host.connection.routes(table: 4711).isEmpty)
    #expect(try host.connection.routes().contains { $0.table == Route.localTable && $0.kind == .local })

    #expect(try host.failure { $0.addRoute(expected) }.codeName == "EEXIST")
    try host.perform { $0.deleteRoute(expected) }
    #expect(try host.failure { $0.deleteRoute(expected) }.codeName == "ESRCH")
  }

  @Test func multipathRoutesAndRulesOfOthersAreRead() throws {
    let host = try host()
    let name = host.name
    try host.perform { $0.addAddress(LinkAddress(link: 20, address: "10.0.0.1/24")) }
    try run([
      "ip", "-n", name, "route", "add", "10.7.0.0/16", "nexthop", "via", "10.0.0.2", "weight", "3", "nexthop",
      "via",
      "10.0.0.3", "dev", "a",
    ])
    let route = try #require(try host.connection.routes().first { $0.destination == "10.7.0.0/16" })
    #expect(route.nextHops.map(\.gateway) == ["10.0.0.2", "10.0.0.3"])
    #expect(route.nextHops.map(\.weight) == [3, 1] && route.nextHops.map(\.link) == [20, 20])

    try run([
      "ip", "-n", name, "rule", "add", "from", "10.0.0.0/24", "iif", "lo", "fwmark", "7", "lookup", "1000",
      "priority",
      "99",
    ])
    let rules = try host.connection.rules()
    let rule = try #require(rules.first { $0.priority == 99 })
    #expect(rule.source == "10.0.0.0/24" && rule.inputLink == "lo")
    #expect(rule.mark == 7 && rule.table == 1000 && rule.action == .lookUp && !rule.isIPv6)
    #expect(rules.contains { $0.isIPv6 && $0.priority == 32766 && $0.table == Route.mainTable })
  }

  @Test func neighbours() throws {
    let host = try host()
    let permanent = Neighbour(link: 20, address: "10.0.0.2", linkLayerAddress: "02:00:00:00:00:02")
    let reachable = Neighbour(
      link: 20, address: documentation6, linkLayerAddress: "02:00:00:00:00:03", state: .reachable,
      flags: .router)
    try host.perform {
      $0.addNeighbour(permanent)
      $0.addNeighbour(reachable)
    }
    let shown = try host.ip("neighbour", "show", "nud", "all").array
    let first = try #require(shown.first { $0["dst"].string == "10.0.0.2" })
    #expect(first["lladdr"].string == "02:00:00:00:00:02" && first["state"].strings == ["PERMANENT"])
    let second = try #require(shown.first { $0["dst"].string == "2001:db8::1" })
    #expect(second["state"].strings == ["REACHABLE"])
    let read = try host.connection.neighbours(onLink: 20)
    #expect(read.contains(permanent) && read.contains(reachable))
    #expect(try host.connection.neighbours(onLink: 21).allSatisfy { $0.link == 21 })
    #expect(try host.failure { $0.addNeighbour(permanent) }.codeName == "EEXIST")
    try host.perform { $0.deleteNeighbour(permanent) }
    #expect(try host.failure { $0.deleteNeighbour(permanent) }.codeName == "ENOENT")
  }
}
