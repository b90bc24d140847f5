import Testing
@testable import Netlink

@Test func smoke() throws {
  let ns = try NetworkNamespace.create(markedBy: "netlab/a"); let c = try Connection(in: ns)
    let vm = try NetworkNamespace.create(markedBy: nil)
    var b = Batch()
    b.createLink(NewLink(.bridge(BridgeOptions(stpState: true, forwardDelay: 0, multicastSnooping: false)), name: "br0", index: 10, isUp: true))
    b.createLink(NewLink(.bridge(BridgeOptions(stpState: false, forwardDelay: 0, multicastSnooping: false)), name: "br0", index: 10, isUp: true))
    b.createLink(NewLink(.veth(peer: .init(name: "eth0", namespace: vm.rawDescriptor, index: 2, address: [3,0,0,0,0,1])), name: "tap0", index: 11, address: [0xfe,0,0,0,0,1], mtu: 1450, group: 7, master: 10, isUp: true, isPromiscuous: true))
    b.createLink(NewLink(.veth(peer: .init(name: "eth0", namespace: vm.rawDescriptor, index: 2, address: [2,0,0,0,0,1], mtu: 1)), name: "tap0", index: 11, address: [0xfe,0,0,0,0,1], mtu: 1450, group: 7, master: 10, isUp: true, isPromiscuous: true))
    b.setLink(11, LinkChange(mtu: 20, isUp: true, master: 0, alias: "hello", bridgePort: BridgePortOptions(learning: false, hairpin: true)))
    b.createLink(NewLink(.bridge(.init()), name: "br0"))
    b.createLink(NewLink(.vlan(VLAN(id: 5), parent: 10), name: "br0.5"))
    b.createLink(NewLink(.bridge(.init()), name: "br0br0br0br0br0br0"))
    b.addAlternativeName("a-long-alternative-name", toLink: 21)
    b.addAddress(LinkAddress(link: 10, address: [192,168,21,1], prefixLength: 64))
    b.addAddress(LinkAddress(link: 99, address: [192,168,21,1], prefixLength: 24))
    b.addRoute(Route(to: [10,0,0,0], prefixLength: 8, via: [1,2,3,4]))
    b.addRoute(Route(to: [10,0,0,1], prefixLength: 8, link: 10))
    b.addNeighbour(Neighbour(link: 77, address: [1,2,3,4], linkLayerAddress: [2,0,0,0,0,1]))
    b.addBridgeVLAN(BridgeVLAN(5...9), toPort: 11)
    b.addForwardingEntry(ForwardingEntry(link: 11, address: [3,0,0,0,0,1], vlan: 3))
    b.flushForwardingEntries(ofBridge: 10)
    b.deleteLink(76)
    b.deleteLinks(inGroup: 76)
    for case let e? in try c.perform(b) { print(e) }
    print(try c.rules(), try c.routes(), try c.routes(table: 7), try c.neighbours(), try c.forwardingEntries(), try c.bridgeVLANs(), try c.routes(table: 254))
    print(try ns.write([Sysctl("net/ipv4/ip_forward", "1"), Sysctl("net/nope", "2")]), try ns.readSysctls(["net/ipv4/ip_forward", "x"]))
}
