import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces, .veth)) struct QdiscTests {
  @Test func readBack() throws {
    let host = try TestNamespace()
    try host.perform {
      $0.createLink(NewLink(.veth(peer: .init(name: "b", index: 21)), name: "a", index: 20))
      $0.setLink(20, LinkChange(isUp: true))
    }
    try run([
      "tc", "-n", host.name, "qdisc", "add", "dev", "a", "root", "tbf", "rate", "1mbit", "burst", "2k",
      "latency", "1s",
    ])
    let read = try host.connection.qdiscs().filter { $0.link == 20 }
    #expect(read.map(\.kind) == ["tbf"] && read[0].parent == .max)
  }
}
