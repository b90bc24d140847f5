import Foundation
import Netlink
import TestSupport
import Testing

/// Questions that are put together, or by another way than a message.
@Suite struct QueryTests {
  @Test func manyLinksAtOnce() throws {
    let host = try TestNamespace()
    let indices = (100..<170).map(Int32.init)
    try host.perform { batch in
      for index in indices {
        batch.createLink(NewLink(.bridge(BridgeOptions()), name: "br\(index)", index: index))
      }
    }
    let backwards = Array(indices.reversed())
    #expect(try host.connection.links(backwards).map(\.name) == backwards.map { "br\($0)" })
    // One that is missing is named, and the answers about the others do not get in the way of the next question.
    let missing = #expect(throws: NetlinkError.self) { try host.connection.links([100, 99, 101, 102]) }
    #expect(missing?.description == "get link 99: No such device (ENODEV)")
    #expect(try host.connection.links([103]).map(\.name) == ["br103"])
    #expect(try host.connection.links([]).isEmpty)
  }

  @Test func settingsThroughAViewOfTheirOwn() throws {
    let (one, other, view) = (try TestNamespace(), try TestNamespace(), SysctlView())
    let path = "net/ipv6/conf/all/disable_ipv6"
    #expect(try one.namespace.write([Sysctl(path, "1")], through: view) == [nil])
    #expect(try one.namespace.readSysctls([path], through: view)[0].get() == "1")
    #expect(try other.namespace.readSysctls([path], through: view)[0].get() == "0")
    #expect(try one.namespace.readSysctls([path])[0].get() == "1")
    #expect(try one.namespace.write([Sysctl("net/no/such", "0")], through: view)[0]?.codeName == "ENOENT")
  }

  @Test func offloads() throws {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.veth(peer: NewLink.Peer(name: "b", index: 11)), name: "a", index: 10))
    }
    #expect(try host.connection.offloads(ofLink: "a") == Set(Offload.allCases))
    for (word, offload) in [
      ("tso", Offload.tcpSegmentation), ("gso", .genericSegmentation), ("rx", .receiveChecksum),
    ] {
      try run(["ip", "netns", "exec", host.name, "ethtool", "-K", "a", word, "off"])
      #expect(try host.connection.offloads(ofLink: "a") == Set(Offload.allCases).subtracting([offload]))
      try host.connection.set(offload, true, ofLink: "a")
      #expect(try host.connection.offloads(ofLink: "a") == Set(Offload.allCases))
    }
    #expect(throws: NetlinkError.self) { try host.connection.offloads(ofLink: "c") }
  }
}
