import Foundation
import Testing

extension CommandTests {
  /// The commands that look into a lab, as a person types them.
  @Suite(.timeLimit(.minutes(2)))
  struct LookTests {
    @Test(arguments: ["text", "mermaid", "dot", "svg"])
    func `A lab is drawn from its file`(format: String) async throws {
      let outcome = try await netlab("graph", "Labs/TwoVMs.swift", "--format", format)
      #expect(outcome.status == 0, "\(outcome)")
      for text in ["focal-1", "tapde4f2069-52", "qvo585e6e2e-a6", "br-int", "192.168.21.52/24", "tag 1"] {
        #expect(outcome.output.contains(text), "\(format): \(text)")
      }
    }

    @Test func `Show, graph and capture agree on a running lab`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let compiled = try await netlab("compile", "Labs/TwoVMs.swift", "--datapath", "linuxbridge")
      let name = "look-\(UInt32.random(in: 0 ... .max))"
      let lab = scratch.appending(path: "lab.json")
      try compiled.output.replacing("\"two-vms\"", with: "\"\(name)\"").write(
        to: lab, atomically: true, encoding: .utf8)
      try #require(try await netlab("up", lab.path).status == 0)
      let outcome: Result<Void, any Error>
      do {
        outcome = .success(try await look(at: name, scratch))
      } catch {
        outcome = .failure(error)
      }
      #expect(try await netlab("down", name).status == 0)
      try outcome.get()
    }

    /// What is said of the checks when a tap is down.
    private func explain(_ name: String) async throws {
      let verified = try await netlab("verify", name, "--json")
      #expect(verified.status == 1)
      let report = try JSONSerialization.jsonObject(with: Data(verified.output.utf8)) as? [String: Any]
      let checks = try #require(report?["checks"] as? [[String: Any]])
      let ping = try #require(checks.first { $0["check"] as? String == "ping focal-1 → focal-2" })
      let repair = "ip -n \(name).compute-1 link set dev tap585e6e2e-a6 up"
      #expect(ping["repair"] as? [String] == [repair])
      let culprit = try #require(ping["culprit"] as? String)
      #expect(culprit.contains(": tap585e6e2e-a6 is down"), "\(culprit)")
      #expect(culprit.hasSuffix("wants state up; `\(repair)` repairs it"), "\(culprit)")
      #expect((ping["trace"] as? [String: Any])?["phases"] != nil)
      for check in checks where check["outcome"] as? String == "passed" { #expect(check["culprit"] == nil) }
      let text = try await netlab("verify", name)
      #expect(text.output.contains("    culprit   \(culprit)"), "\(text)")
      // The trace that shows it stands once below each culprit.
      let lines = text.output.split(separator: "\n")
      let culprits = Set(lines.filter { $0.hasPrefix("    culprit   ") })
      #expect(lines.count { $0.hasPrefix("      observed:  ") } == culprits.count, "\(text)")
    }

    private func look(at name: String, _ scratch: URL) async throws {
      let ports = try await netlab("show", name)
      #expect(ports.output.contains("focal-1  eth0    int_net  up"), "\(ports)")
      #expect(ports.output.contains("    tapde4f2069-52 → brq1b80dac9-ee (compute-1)"))
      // To another user it is not as if it did not run.
      for command in [["show", name], ["trace", name, "focal-1", "focal-2"], ["capture", name, "focal-1"]] {
        let refused = try await run(
          ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Checkout.netlab] + command)
        #expect(refused.status == 3, "\(refused)")
        #expect(refused.errors.contains("the lab '\(name)' is not yours"), "\(refused)")
        #expect(refused.errors.contains("sudo netlab"), "\(refused)")
      }
      let narrow = try await netlab("show", name, "bridges", environment: ["COLUMNS": "60"])
      #expect(narrow.output.split(separator: "\n").allSatisfy { $0.count <= 60 }, "\(narrow)")
      let rows = try JSONSerialization.jsonObject(
        with: Data(try await netlab("show", name, "--json").output.utf8))
      #expect((rows as? [[String: Any]])?.compactMap { $0["vm"] as? String } == ["focal-1", "focal-2"])

      try await run(["ip", "-n", "\(name).compute-1", "link", "set", "tap585e6e2e-a6", "down"])
      #expect(try await netlab("show", name).output.contains("tap585e6e2e-a6 down"))
      #expect(try await netlab("graph", name).output.contains("✗ state down"))
      let traced = try await netlab("graph", name, "--trace", "focal-1", "focal-2")
      #expect(traced.output.contains("✗ the packet ends here"), "\(traced)")
      #expect(traced.output.contains("the packet ends at compute-1:tap585e6e2e-a6: tap585e6e2e-a6 is down"))
      try await explain(name)
      try await run(["ip", "-n", "\(name).compute-1", "link", "set", "tap585e6e2e-a6", "up"])
      let whole = try await netlab("graph", name, "--trace", "focal-1", "focal-2")
      #expect(whole.output.contains("●") && !whole.output.contains("✗"), "\(whole)")

      // The capture says when it listens; its four packets end it.
      let file = scratch.appending(path: "path.pcapng").path
      let script = """
        mkfifo \(scratch.path)/said
        \(Checkout.netlab) capture \(name) focal-1 focal-2:eth0 icmp -c 4 -w \(file) 2>\(scratch.path)/said &
        exec 3<\(scratch.path)/said
        read -r line <&3; echo "$line"
        ip netns exec \(name).focal-1 ping -qc1 192.168.21.66 >/dev/null
        cat <&3
        wait $!
        """
      let captured = try await run(["sh", "-c", script])
      #expect(captured.status == 0, "\(captured)")
      #expect(captured.output.contains("capturing at focal-1:eth0, focal-2:eth0; Ctrl-C ends it"))
      #expect(captured.output.contains("4 packets at 2 places in \(file)"))
      #expect(
        try await run(["tcpdump", "-r", file, "-n", "-Z", "root"]).output.split(separator: "\n").count == 4)
    }
  }
}
