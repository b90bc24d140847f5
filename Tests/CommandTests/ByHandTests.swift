import Foundation
import Testing

/// What a person does by hand on a kernel with VLANs, with the tools they know.
extension CommandTests {
  @Suite(.serialized) struct ByHandTests {
    @Test func `A lab is open to ip, bridge and brctl, and leaves nothing`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      // Compiled here, because compiling in the sandbox is slow.
      let compiled = try await netlab("compile", "Labs/TwoVMs.swift")
      #expect(compiled.status == 0)
      let lab = scratch.appending(path: "two-vms.json")
      try compiled.output.write(to: lab, atomically: true, encoding: .utf8)

      let script = """
        netlab=\(Checkout.netlab)
        step() { echo "== $*"; "$@"; echo "-- $?"; }
        ip -o link > \(scratch.path)/links-before
        step $netlab up \(lab.path)
        step $netlab list
        step ip netns
        step ip netns exec two-vms.focal-1 ping -c1 192.168.21.66
        step ip netns exec two-vms.compute-1 brctl show
        step bridge -n two-vms.compute-1 vlan show
        step $netlab verify two-vms
        step $netlab status two-vms
        step $netlab up two-vms
        step $netlab exec two-vms focal-1 -- cat /sys/class/net/eth0/address
        step $netlab exec two-vms focal-2 -- sh -c 'exit 7'
        step sh -c "echo exit 5 | SHELL=/bin/sh $netlab shell two-vms focal-2"
        step ip -n two-vms.compute-1 link show dev tap-focal-1
        step ip -n two-vms.focal-1 link set eth0 mtu 1400
        step $netlab status two-vms
        step $netlab plan two-vms
        step $netlab up two-vms
        step $netlab down two-vms
        step ip netns
        step ls /run/netlab
        ip -o link > \(scratch.path)/links-after
        step cmp \(scratch.path)/links-before \(scratch.path)/links-after
        """
      let outcome = try await run([Checkout.netlab, "sandbox", "--", "sh", "-c", script])
      let steps = outcome.output.components(separatedBy: "== ").dropFirst().map(Step.init)
      func step(_ command: String, nth: Int = 0) throws -> Step {
        try #require(
          steps.filter { $0.command.contains(command) }.dropFirst(nth).first, "\(command): \(outcome)")
      }

      #expect(try step("up ").text.contains("two-vms is up (3 namespaces, 29 objects"))
      #expect(try step("netlab list").text.contains("two-vms  up     hybrid    3 namespaces"))
      #expect(try Set(step("ip netns").lines) == ["two-vms.compute-1", "two-vms.focal-1", "two-vms.focal-2"])
      #expect(try step("ping").text.contains("1 received, 0% packet loss"))

      // As brctl writes it: a row for each bridge, its further ports below. Here br-int is a Linux bridge too.
      let rows = try step("brctl show").lines.dropFirst().map {
        $0.split(separator: "\t", omittingEmptySubsequences: true)
      }
      #expect(
        rows.map { String($0.last ?? "") } == [
          "qvo585e6e2e-a6", "qvode4f2069-52", "qvb585e6e2e-a6", "tap585e6e2e-a6", "qvbde4f2069-52",
          "tapde4f2069-52",
        ])
      #expect(
        rows.filter { $0.count > 1 }.map { String($0[0]) } == ["br-int", "qbr585e6e2e-a6", "qbrde4f2069-52"])
      #expect(rows.filter { $0.count > 1 }.allSatisfy { $0[2] == "no" })
      #expect(
        try Set(step("vlan show").lines) == [
          "port              vlan-id  ", "qvode4f2069-52    1 PVID Egress Untagged",
          "qvo585e6e2e-a6    1 PVID Egress Untagged",
        ])

      #expect(try step("verify").text.contains("13 passed") && step("verify").status == 0)
      #expect(try step("status").text.contains("two-vms: no drift"))
      #expect(try step("up two-vms").text.contains("nothing to do"))
      #expect(try step("cat /sys").text.contains("fa:16:3e:50:1a:a3"))
      #expect(try step("exit 7").status == 7)
      #expect(try step("exit 5").status == 5)
      #expect(try step("dev tap-focal-1").text.contains("tapde4f2069-52"))

      #expect(try step("status", nth: 1).status == 1)
      #expect(try step("status", nth: 1).text.contains("mtu is 1400, should be 1500  (Labs/TwoVMs.swift:12:"))
      #expect(try step("plan").lines == ["ip -n two-vms.focal-1 link set dev eth0 mtu 1500"])
      #expect(try step("up two-vms", nth: 1).text.contains("1 repaired"))
      #expect(try step("down").status == 0)
      #expect(try step("ip netns", nth: steps.count { $0.command.hasPrefix("ip netns") } - 1).text.isEmpty)
      #expect(try step("ls /run/netlab").status != 0)
      #expect(try step("cmp").status == 0)
    }

    /// One command of the script, with what it printed.
    private struct Step {
      var command: String
      var text: String
      var status: Int

      init(_ block: String) {
        let (command, rest) = block.split(atFirst: "\n")
        self.command = command
        let parts = rest.components(separatedBy: "-- ")
        status = Int(parts.last?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "") ?? -1
        text = parts.dropLast().joined(separator: "-- ")
      }

      var lines: [String] { text.split(separator: "\n").map(String.init) }
    }
  }
}

extension String {
  fileprivate func split(atFirst separator: Character) -> (String, String) {
    let index = firstIndex(of: separator) ?? endIndex
    return (String(self[..<index]), index == endIndex ? "" : String(self[self.index(after: index)...]))
  }
}
