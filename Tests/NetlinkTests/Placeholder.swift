import Testing

@testable import Netlink

@Test func smoke() throws {
  try NetworkNamespace.create(markedBy: ["netlab/a", "netlab/b"]) { i, ns, c throws(NetlinkError) in
    let vm = try NetworkNamespace.create(markedBy: nil)
    var b = Batch()
    b.createLink(
      NewLink(
        .bridge(BridgeOptions(stpState: false, forwardDelay: 0, multicastSnooping: false)), name: "br0",
        index: 10, isUp: true))
    b.createLink(
      NewLink(
        .veth(peer: .init(name: "eth0", namespace: vm.rawDescriptor, index: 2, address: [2, 0, 0, 0, 0, 1])),
        name: "tap0", index: 11, address: [0xfe, 0, 0, 0, 0, 1], mtu: 1450, group: 7, master: 10, isUp: true,
        isPromiscuous: true))
    b.setLink(11, LinkChange(alias: "hello", bridgePort: BridgePortOptions(learning: false, hairpin: true)))
    b.createLink(NewLink(.bridge(.init()), name: "br0"))
    b.addAlternativeName("a-long-alternative-name", toLink: 11)
    b.addAddress(LinkAddress(link: 10, address: [192, 168, 21, 1], prefixLength: 24))
    print(try c.perform(b))
    for l in try c.links() { print(l) }
    print(try c.link(named: "a-long-alternative-name").name, try c.link(10).name)
    print(try c.addresses(), try c.namespaceID(of: vm) as Any, ns.identity)
    do { _ = try c.link(99) } catch { print(error) }
  }
}
