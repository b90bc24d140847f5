import LabKernel
import LabKit
import LabMachine
import LabModel
import TestSupport
import Testing
import Values

@testable import Netlink

@Suite(.needs(.namespaces)) struct BatchTests {
  @Test func everyRequestHasItsOutcome() throws {
    let host = try TestNamespace()
    var batch = Batch()
    for index in Int32(0)..<1000 {
      // Every third is refused: its name is taken by the one before.
      let name = "br\(index % 3 == 2 ? index - 1 : index)"
      batch.createLink(NewLink(.bridge(BridgeOptions()), name: name, index: index + 10, group: 1))
    }
    #expect(batch.count == 1000)
    let outcomes = try host.connection.perform(batch)
    #expect(outcomes.count == 1000)
    for (index, outcome) in outcomes.enumerated() {
      #expect((outcome?.codeName == "EEXIST") == (index % 3 == 2), "\(index)")
    }
    #expect(outcomes[2]?.operation == "create link br1 (bridge)")
    #expect(try host.connection.links(ofKind: "bridge").count == 667)
    try host.perform { $0.deleteLinks(inGroup: 1) }
  }

  @Test func aThousandErrorsAreNotLost() throws {
    let host = try TestNamespace()
    var batch = Batch()
    for _ in 0..<2000 { batch.deleteLink(4711) }
    #expect(try host.connection.perform(batch).allSatisfy { $0?.codeName == "ENODEV" })
    // and the connection is as good as before
    #expect(try host.connection.links().map(\.name) == ["lo"])
  }

  @Test func anEmptyBatchIsNothing() throws {
    let host = try TestNamespace()
    #expect(try host.connection.perform(Batch()).isEmpty)
  }

  @Test func aBatchCanBeUsedAgain() throws {
    let host = try TestNamespace()
    var batch = Batch()
    batch.setLink(1, LinkChange(isUp: true))
    try host.connection.run(batch)
    batch.removeAll()
    #expect(batch.isEmpty)
    batch.setLink(1, LinkChange(isUp: false))
    try host.connection.run(batch)
    try host.connection.run(batch)
    #expect(try !host.connection.link(1).isUp)
  }

  @Test func errorsSayWhatWasAttemptedAndWhatIsWrong() throws {
    let host = try TestNamespace()
    let tooLong = try host.failure {
      $0.createLink(NewLink(.bridge(BridgeOptions()), name: "a-name-of-twenty-one"))
    }
    #expect(tooLong.operation == "create link a-name-of-twenty-one (bridge)")
    #expect(tooLong.codeName == "ERANGE" && tooLong.attribute == "IFLA_IFNAME")
    #expect(
      tooLong.description.hasPrefix(
        "create link a-name-of-twenty-one (bridge): Numerical result out of range"))

    let gateway = try host.failure {
      $0.addRoute(Route(to: "10.0.0.0/8", via: "1.2.3.4"))
    }
    #expect(gateway.operation == "add route 10.0.0.0/8 via 1.2.3.4")
    #expect(gateway.codeName == "ENETUNREACH" && gateway.kernelMessage != nil)

    let missing = #expect(throws: NetlinkError.self) { try host.connection.link(99) }
    #expect(missing?.description == "get link 99: No such device (ENODEV)")

    // A name that does not fit any attribute is the kernel's to refuse, too.
    let monster = String(repeating: "x", count: 100_000)
    #expect(try host.failure { $0.createLink(NewLink(.bridge(.init()), name: monster)) }.codeName == "ERANGE")
  }
}
