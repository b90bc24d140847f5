import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces)) struct LinkTests {
  @Test func vethIntoTwoNamespacesInOneRequest() throws {
    let host = try TestNamespace()
    let vm = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10, isUp: true))
      let peer = NewLink.Peer(
        name: "eth0", namespace: vm.descriptor, index: 7, address: "02:00:00:00:00:01", mtu: 1400, group: 9,
        transmitQueueLength: 11)
      $0.createLink(
        NewLink(
          .veth(peer: peer), name: "tap0", index: 20, address: "fe:00:00:00:00:01", mtu: 1450, group: 3,
          master: 10, isUp: true, isPromiscuous: true, transmitQueueLength: 12))
    }
    let tap = try host.ip("link", "show", "tap0")[0]
    #expect(tap["ifindex"].int == 20)
    #expect(tap["address"].string == "fe:00:00:00:00:01")
    #expect(tap["mtu"].int == 1450)
    #expect(tap["group"].string == "3")
    #expect(tap["master"].string == "br0")
    #expect(tap["txqlen"].int == 12)
    #expect(tap["linkinfo"]["info_kind"].string == "veth")
    let flags = tap["flags"].strings
    #expect(flags.contains("UP") && flags.contains("PROMISC") && flags.contains("MULTICAST"))
    let eth = try vm.ip("link", "show", "eth0")[0]
    #expect(eth["ifindex"].int == 7)
    #expect(eth["address"].string == "02:00:00:00:00:01")
    #expect(eth["mtu"].int == 1400)
    #expect(eth["group"].string == "9")
    #expect(eth["txqlen"].int == 11)
    #expect(!eth["flags"].strings.contains("UP"))

    // and what this library reads is the same
    let link = try host.connection.link(named: "tap0")
    #expect(link.index == 20 && link.kind == .veth && link.master == 10 && link.group == 3)
    #expect(link.flags.isSuperset(of: [.up, .promiscuous, .multicast]))
    #expect(link.parent == 7)
    #expect(try host.connection.namespaceID(of: vm.namespace) == link.parentNamespaceID)
    #expect(try vm.connection.link(7).address == "02:00:00:00:00:01")
  }

  @Test func bridgeWithAllOptions() throws {
    let host = try TestNamespace()
    let options = BridgeOptions(
      stpState: true, priority: 100, forwardDelay: 400, helloTime: 300, maxAge: 2500, ageingTime: 12000,
      multicastSnooping: false, multicastQuerier: true, groupForwardMask: 8, callIPTables: true,
      callIP6Tables: true, callARPTables: true)
    try host.perform { $0.createLink(NewLink(.bridge(options), name: "br0", index: 10)) }
    let data = try host.ip("link", "show", "br0")[0]["linkinfo"]["info_data"]
    #expect(data["stp_state"].int == 1)
    #expect(data["priority"].int == 100)
    #expect(data["forward_delay"].int == 400)
    #expect(data["hello_time"].int == 300)
    #expect(data["max_age"].int == 2500)
    #expect(data["ageing_time"].int == 12000)
    #expect(data["mcast_snooping"].int == 0)
    #expect(data["mcast_querier"].int == 1)
    #expect(data["group_fwd_mask"].string == "0x8")
    #expect(data["nf_call_iptables"].int == 1)
    #expect(data["nf_call_ip6tables"].int == 1)
    #expect(data["nf_call_arptables"].int == 1)
    try host.perform { $0.setLink(10, LinkChange(bridge: BridgeOptions(stpState: false, ageingTime: 0))) }
    guard case .bridge(let read) = try host.connection.link(10).kind else {
      Issue.record("not a bridge")
      return
    }
    #expect(read.stpState == false && read.ageingTime == 0)
    #expect(read.priority == 100 && read.groupForwardMask == 8 && read.multicastQuerier == true)
    #expect(read.callARPTables == true)
  }

  @Test func everyPropertyOfALinkCanBeChanged() throws {
    let host = try TestNamespace()
    let other = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10))
      $0.createLink(NewLink(.veth(peer: .init(name: "b", index: 21)), name: "a", index: 20))
      $0.setLink(
        20,
        LinkChange(
          name: "renamed", address: "02:00:00:00:00:09", mtu: 1300, isUp: true, isPromiscuous: true,
          master: 10,
          alias: "netlab/x", group: 5, transmitQueueLength: 77))
      $0.addAlternativeName("a-name-longer-than-fifteen", toLink: 20)
    }
    var link = try host.ip("link", "show", "renamed")[0]
    #expect(link["address"].string == "02:00:00:00:00:09")
    #expect(link["mtu"].int == 1300)
    #expect(link["master"].string == "br0")
    #expect(link["ifalias"].string == "netlab/x")
    #expect(link["group"].string == "5")
    #expect(link["txqlen"].int == 77)
    #expect(link["altnames"].strings == ["a-name-longer-than-fifteen"])
    #expect(Set(link["flags"].strings).isSuperset(of: ["UP", "PROMISC", "MULTICAST"]))
    let read = try host.connection.link(named: "a-name-longer-than-fifteen")
    #expect(read.index == 20 && read.alias == "netlab/x" && read.transmitQueueLength == 77)
    #expect(read.alternativeNames == ["a-name-longer-than-fifteen"])
    #expect(read.promiscuity >= 1)

    try host.perform {
      $0.deleteAlternativeName("a-name-longer-than-fifteen", fromLink: 20)
      $0.setLink(20, LinkChange(isUp: false, isPromiscuous: false, master: 0, alias: ""))
    }
    link = try host.ip("link", "show", "renamed")[0]
    #expect(link["master"].string == nil && link["ifalias"].string == nil && link["altnames"].strings.isEmpty)
    #expect(link["flags"].strings.contains("MULTICAST"))
    #expect(!link["flags"].strings.contains("UP") && !link["flags"].strings.contains("PROMISC"))

    try host.perform { $0.setLink(20, LinkChange(name: "moved", namespace: other.descriptor)) }
    #expect(try other.ip("link", "show", "moved")[0]["mtu"].int == 1300)
    #expect(try host.connection.links().map(\.name).sorted() == ["b", "br0", "lo"])
  }

  @Test(.timeLimit(.minutes(1))) func portOptions() throws {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10, isUp: true))
      $0.createLink(NewLink(.veth(peer: .init(index: 21)), name: "a", index: 20, master: 10, isUp: true))
      $0.setLink(21, LinkChange(isUp: true))
    }
    let options = BridgePortOptions(
      state: .disabled, cost: 55, priority: 7,
      flags: Dictionary(
        uniqueKeysWithValues: BridgePortOptions.Flag.allCases.filter { $0 != .vlanTunnel }
          .map { ($0, !$0.isUsual) }))
    // The carrier's arrival is noticed a little later, and makes the bridge choose the state.
    while try host.connection.link(20).operationalState != .up {}
    try host.perform { $0.setBridgePort(20, options) }
    let port = try host.bridge("link", "show", "dev", "a")[0]
    #expect(port["state"].string == "disabled")
    #expect(port["cost"].int == 55)
    #expect(port["priority"].int == 7)
    for option in ["learning", "flood", "mcast_flood", "bcast_flood"] { #expect(port[option].bool == false) }
    for option in ["hairpin", "guard", "root_block", "isolated", "neigh_suppress", "locked"] {
      #expect(port[option].bool == true, "\(option)")
    }
    var read = try #require(try host.connection.link(20).bridgePort)
    read[.vlanTunnel] = nil
    #expect(read == options)
  }

  @Test func dumpsAreFilteredByTheKernel() throws {
    let host = try TestNamespace()
    try run(["ip", "-n", host.name, "link", "add", "br0", "type", "bridge"])
    try run(["ip", "-n", host.name, "link", "add", "name", "a", "type", "veth", "peer", "name", "b"])
    try run(["ip", "-n", host.name, "link", "set", "dev", "a", "master", "br0"])
    let bridge = try host.connection.link(named: "br0")
    #expect(try host.connection.links(ofKind: "bridge") == [bridge])
    #expect(try host.connection.links(master: bridge.index).map(\.name) == ["a"])
    #expect(try host.connection.links(ofKind: "veth").map(\.name).sorted() == ["a", "b"])
    #expect(try host.connection.links(ofKind: "no-such-kind").isEmpty)
    #expect(bridge.statistics == nil)
    #expect(try host.connection.link(named: "br0", withStatistics: true).statistics?.transmittedPackets == 0)
    #expect(try host.connection.links(withStatistics: true).allSatisfy { $0.statistics != nil })
  }

  @Test func deletingOneLinkAndAGroup() throws {
    let host = try TestNamespace()
    try host.perform {
      for index in Int32(10)..<20 {
        $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br\(index)", index: index, group: 42))
      }
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "kept", index: 30))
      $0.deleteLink(10)
    }
    #expect(try host.ip("link", "show", "group", "42").array.compactMap { $0["ifname"].string }.count == 9)
    try host.perform { $0.deleteLinks(inGroup: 42) }
    #expect(try host.ip("link", "show").array.compactMap { $0["ifname"].string } == ["lo", "kept"])
  }

  @Test func settingsFollowSysctls() throws {
    let host = try TestNamespace()
    try host.perform { $0.createLink(NewLink(.bridge(BridgeOptions()), name: "br0", index: 10)) }
    let outcomes = try host.namespace.write([
      Sysctl("net/ipv4/conf/br0/arp_ignore", "1"), Sysctl("net/ipv4/conf/br0/arp_announce", "2"),
      Sysctl("net/ipv4/conf/br0/rp_filter", "2"), Sysctl("net/ipv4/conf/br0/proxy_arp", "1"),
      Sysctl("net/ipv4/conf/br0/forwarding", "1"), Sysctl("net/ipv6/conf/br0/disable_ipv6", "1"),
      Sysctl("net/ipv6/conf/br0/accept_ra", "2"), Sysctl("net/ipv6/conf/br0/forwarding", "1"),
      Sysctl("net/ipv6/conf/br0/accept_dad", "0"), Sysctl("net/no/such", "0"),
    ])
    #expect(outcomes.dropLast().allSatisfy { $0 == nil })
    #expect(outcomes.last??.codeName == "ENOENT")
    let link = try host.connection.link(10)
    let ipv4 = try #require(link.ipv4)
    #expect(ipv4.arpIgnore == 1 && ipv4.arpAnnounce == 2 && ipv4.reversePathFilter == 2)
    #expect(ipv4.proxyARP == 1 && ipv4.forwarding == 1)
    let ipv6 = try #require(link.ipv6)
    #expect(ipv6.isDisabled && ipv6.acceptRouterAdvertisements == 2 && ipv6.forwarding == 1)
    #expect(ipv6.acceptDuplicateDetection == 0)
    let values = try host.namespace.readSysctls(["net/ipv4/conf/br0/arp_announce", "net/no/such"])
    #expect(try values[0].get() == "2")
    #expect(throws: NetlinkError.self) { try values[1].get() }
  }

  @Test(.needs(.vxlan)) func vxlan() throws {
    let host = try TestNamespace()
    let vxlan = VXLAN(
      id: 4711, local: "10.0.0.1", remote: "10.0.0.2", destinationPort: 4789, learning: false, ttl: 64)
    try host.perform { $0.createLink(NewLink(.vxlan(vxlan), name: "vx0", index: 10)) }
    let data = try host.ip("link", "show", "vx0")[0]["linkinfo"]["info_data"]
    #expect(data["id"].int == 4711)
    #expect(data["local"].string == "10.0.0.1" && data["remote"].string == "10.0.0.2")
    #expect(data["port"].int == 4789 && data["learning"].bool == false && data["ttl"].int == 64)
    #expect(try host.connection.link(10).kind == .vxlan(vxlan))
  }

  @Test(.needs(.dummy)) func dummy() throws {
    let host = try TestNamespace()
    try host.perform { $0.createLink(NewLink(.dummy, name: "d0", index: 10, mtu: 9000, isUp: true)) }
    #expect(try host.ip("link", "show", "d0")[0]["linkinfo"]["info_kind"].string == "dummy")
    #expect(try host.connection.link(10).kind == .dummy)
  }

  @Test(.needs(.tun)) func tapIsRecognised() throws {
    let host = try TestNamespace()
    try run(["ip", "-n", host.name, "tuntap", "add", "tap0", "mode", "tap", "user", "65534"])
    guard case .tun(let tun) = try host.connection.link(named: "tap0").kind else {
      Issue.record("not a tap")
      return
    }
    #expect(tun.isTap && tun.isPersistent && tun.owner == 65534)
  }

  @Test(.needs(.vlanDevices)) func vlanSubinterface() throws {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.veth(peer: .init(index: 21)), name: "a", index: 20, isUp: true))
      $0.createLink(NewLink(.vlan(VLAN(id: 100), parent: 20), name: "a.100", index: 30, mtu: 1400))
      $0.createLink(
        NewLink(.vlan(VLAN(id: 4094, protocolNumber: VLAN.service), parent: 20), name: "a.s", index: 31))
    }
    let link = try host.ip("link", "show", "a.100")[0]
    #expect(link["link"].string == "a" && link["mtu"].int == 1400)
    #expect(link["linkinfo"]["info_data"]["id"].int == 100)
    #expect(try host.ip("link", "show", "a.s")[0]["linkinfo"]["info_data"]["protocol"].string == "802.1ad")
    let read = try host.connection.link(30)
    #expect(read.kind == .vlan(VLAN(id: 100)) && read.parent == 20 && read.parentNamespaceID == nil)
    #expect(try host.connection.link(31).kind == .vlan(VLAN(id: 4094, protocolNumber: VLAN.service)))
  }
}
