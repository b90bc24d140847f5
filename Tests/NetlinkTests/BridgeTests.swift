import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces)) struct BridgeTests {
  /// A namespace with a bridge (index 10, `br0`) and a port with a carrier (index 20, `a`).
  private func host(_ options: BridgeOptions = BridgeOptions()) throws -> TestNamespace {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.bridge(options), name: "br0", index: 10, isUp: true))
      $0.createLink(
        NewLink(.veth(peer: .init(name: "b", index: 21)), name: "a", index: 20, master: 10, isUp: true))
    }
    // The port forwards, and takes entries that age, when the kernel has seen the carrier.
    let monitor = try Monitor(of: .links, in: host.namespace)
    try host.perform { $0.setLink(21, LinkChange(isUp: true)) }
    while try host.connection.link(20).bridgePort?.state != .forwarding {
      try #require(try monitor.waitForChange(milliseconds: 5000))
    }
    return host
  }

  @Test func forwardingEntries() throws {
    let host = try host()
    let fixed = ForwardingEntry(link: 20, address: "02:00:00:00:00:01")
    let local = ForwardingEntry(link: 20, address: "02:00:00:00:00:02", state: .permanent)
    let ageing = ForwardingEntry(link: 20, address: "02:00:00:00:00:03", state: .reachable)
    try host.perform {
      for entry in [fixed, local, ageing] { $0.addForwardingEntry(entry) }
    }
    let shown = try host.bridge("fdb", "show", "br", "br0").array
    func state(_ mac: String) -> String? { shown.first { $0["mac"].string == mac }?["state"].string }
    #expect(state("02:00:00:00:00:01") == "static")
    #expect(state("02:00:00:00:00:02") == "permanent")
    #expect(state("02:00:00:00:00:03") == "")
    let read = try host.connection.forwardingEntries(ofBridge: 10)
    #expect(
      read.contains { $0.address == fixed.address && $0.state == .noARP && $0.master == 10 && $0.link == 20 })
    #expect(read.contains { $0.address == local.address && $0.state == .permanent })
    #expect(try host.failure { $0.addForwardingEntry(fixed) }.codeName == "EEXIST")

    try host.perform { $0.flushForwardingEntries(ofBridge: 10, port: 20) }
    let rest = try host.connection.forwardingEntries(ofBridge: 10).map(\.address)
    #expect(rest.contains(fixed.address) && rest.contains(local.address) && !rest.contains(ageing.address))
    try host.perform { $0.deleteForwardingEntry(fixed) }
    #expect(try host.failure { $0.deleteForwardingEntry(fixed) }.codeName == "ENOENT")
  }

  @Test(.needs(.vlanFiltering)) func vlanFiltering() throws {
    let host = try host(BridgeOptions(vlanFiltering: true, vlanDefaultPVID: 0))
    let data = try host.ip("link", "show", "br0")[0]["linkinfo"]["info_data"]
    #expect(data["vlan_filtering"].int == 1 && data["vlan_default_pvid"].int == 0)
    #expect(try host.connection.bridgeVLANs().isEmpty)
    try host.perform {
      $0.addBridgeVLAN(BridgeVLAN(7, isPVID: true, isUntagged: true), toPort: 20)
      $0.addBridgeVLAN(BridgeVLAN(100...110), toPort: 20)
      $0.addBridgeVLAN(BridgeVLAN(7), toPort: 10, onBridge: true)
      $0.addForwardingEntry(ForwardingEntry(link: 20, address: "02:00:00:00:00:01", vlan: 7))
    }
    let shown = try host.bridge("vlan", "show").array
    let port = try #require(shown.first { $0["ifname"].string == "a" })["vlans"].array
    #expect(port[0]["vlan"].int == 7)
    #expect(Set(port[0]["flags"].strings) == ["PVID", "Egress Untagged"])
    #expect(port[1]["vlan"].int == 100)
    #expect(shown.contains { $0["ifname"].string == "br0" && $0["vlans"][0]["vlan"].int == 7 })
    #expect(try host.bridge("fdb", "show", "br", "br0").array.contains { $0["vlan"].int == 7 })

    let read = try host.connection.bridgeVLANs()
    let expected = [BridgeVLAN(7, isPVID: true, isUntagged: true)] + (100...110).map { BridgeVLAN($0) }
    #expect(read.first { $0.link == 20 }?.vlans == expected)
    #expect(read.first { $0.link == 10 }?.vlans == [BridgeVLAN(7)])
    #expect(try host.connection.forwardingEntries().contains { $0.vlan == 7 && $0.link == 20 })

    try run(["bridge", "-n", host.name, "vlan", "add", "dev", "a", "vid", "200-203", "untagged"])
    try host.perform {
      $0.deleteBridgeVLAN(BridgeVLAN(100...110), fromPort: 20)
      $0.deleteBridgeVLAN(BridgeVLAN(7), fromPort: 10, onBridge: true)
    }
    let rest = try host.connection.bridgeVLANs()
    #expect(
      rest.first { $0.link == 20 }?.vlans
        == [BridgeVLAN(7, isPVID: true, isUntagged: true)]
        + (200...203).map { BridgeVLAN($0, isUntagged: true) })
    #expect(!rest.contains { $0.link == 10 })
  }
}
