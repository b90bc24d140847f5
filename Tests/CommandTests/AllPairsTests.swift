import Foundation
import Testing

/// `AllPairs` on a running lab that somebody breaks: it names exactly the pairs that the break is about.
@Suite(.onHost, .timeLimit(.minutes(3)))
struct AllPairsTests {
  /// Enough VMs for each to be resolved once only; both families; two networks with one subnet.
  static let lab = """
    import LabKit
    @main struct Pairs: Lab {
      let red = Network("red", subnets: ["10.0.0.0/24", "fd00::/64"])
      let blue = Network("blue", subnet: "10.0.0.0/24")
      var topology: some Topology {
        Host("compute-1") {
          for number in 1...26 { VM("red-\\(number)").port(on: red, ip: "10.0.0.\\(number)") }
          VM("six-1").port(on: red, addresses: ["10.0.0.50", "fd00::50"])
          VM("six-2").port(on: red, addresses: ["10.0.0.51", "fd00::51"])
          VM("blue-1").port(on: blue, ip: "10.0.0.101")
          VM("blue-2").port(on: blue, ip: "10.0.0.102")
        }
      }
      var checks: some Checks {
        AllPairs()
        Reachable("six-1", "six-2", "red-1")
      }
    }
    """

  @Test func `Each break names its pairs`() async throws {
    let scratch = try Checkout.scratch()
    defer { try? FileManager.default.removeItem(at: scratch) }
    let source = scratch.appending(path: "Pairs.swift")
    try Self.lab.write(to: source, atomically: true, encoding: .utf8)
    // Compiled here, because compiling in the sandbox is slow.
    let compiled = try await netlab("compile", source.path)
    try #require(compiled.status == 0, "\(compiled)")
    let lab = scratch.appending(path: "pairs.json")
    try compiled.output.write(to: lab, atomically: true, encoding: .utf8)
    let script = """
      netlab=\(Checkout.netlab)
      verify() { echo "== $1"; $netlab verify pairs; $netlab up pairs > /dev/null || echo "no repair"; }
      $netlab up \(lab.path) || exit
      verify whole
      ip -n pairs.red-3 link set eth0 down
      verify down
      ip -n pairs.six-2 address delete fd00::51/64 dev eth0
      verify address
      port=$(ip -n pairs.compute-1 -o link show dev qvo-blue-1 | cut -d: -f2 | cut -d@ -f1)
      bridge -n pairs.compute-1 vlan delete dev $port vid 2
      bridge -n pairs.compute-1 vlan add dev $port vid 1 pvid untagged
      verify tag
      for vm in $(ip netns | cut -d' ' -f1); do ip -n $vm neighbour show nud all; done | grep -vc -e NOARP
      """
    let outcome = try await run([Checkout.netlab, "sandbox", "--", "sh", "-c", script])
    let parts = outcome.output.components(separatedBy: "== ").dropFirst()
    func part(_ name: String) throws -> String {
      try #require(parts.first { $0.hasPrefix("\(name)\n") }, "\(outcome)")
    }
    #expect(!outcome.output.contains("no repair"))

    // 28 red VMs and 2 blue ones with IPv4, two of them with IPv6 as well.
    let whole = try part("whole")
    #expect(whole.contains("760 of 760 pairs answer"), "\(whole)")
    #expect(whole.contains("112 that must not do not"), "\(whole)")
    #expect(whole.contains("8 of 8 pairs answer"), "\(whole)")

    let down = try part("down")
    #expect(down.contains("seen      54 do not answer"), "\(down)")
    #expect(down.contains("red-3: no answer in all of its 54 pairs"), "\(down)")

    let address = try part("address")
    #expect(address.contains("seen      2 do not answer"), "\(address)")
    #expect(address.contains("six-1 → six-2 (fd00::51): no answer"), "\(address)")
    #expect(address.contains("six-2 → six-1 (fd00::50): no answer"), "\(address)")

    // blue-1 is now among the red VMs, all of which it reaches and none of which it may; and it lost blue-2.
    let tag = try part("tag")
    #expect(tag.contains("seen      2 do not answer, 56 answer that must not"), "\(tag)")
    #expect(tag.contains("blue-1 → blue-2 (10.0.0.102): no answer"), "\(tag)")
    #expect(tag.contains("blue-2 → blue-1 (10.0.0.101): no answer"), "\(tag)")
    #expect(tag.contains("blue-1: answers, and must not in all of its 56 pairs"), "\(tag)")
  }
}
