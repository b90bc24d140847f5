import Foundation
import Testing

/// A running lab, and its file that somebody edits afterwards.
extension CommandTests {
  @Suite(.serialized) struct EditedFileTests {
    private func source(vms: [String] = ["a", "b"], _ checks: String = "Ping(from: \"a\", to: \"b\")")
      -> String
    {
      """
      import LabKit
      @main struct EditedLab: Lab {
        let net = Network("net", subnet: "10.0.0.0/24")
        @Parameter var pings = 3
        var topology: some Topology {
          Host("compute-1") {
            \(vms.map { "VM(\"\($0)\").port(on: net)" }.joined(separator: "; "))
          }
        }
        var checks: some Checks { \(checks) }
      }
      """
    }

    @Test func `An edited file is what verify and status compare with`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "EditedLab.swift")
      func edit(_ text: String) throws { try text.write(to: file, atomically: true, encoding: .utf8) }
      try edit(source())
      let up = try await netlab("up", file.path, "--datapath", "linuxbridge")
      try #require(up.status == 0, "\(up)")

      // Unchanged, and on the datapath that the running lab has.
      for command in ["verify", "status"] {
        let same = try await netlab(command, file.path)
        #expect(same.status == 0, "\(same)")
        #expect(same.errors.isEmpty, "\(same.errors)")
      }
      let set = try await netlab("verify", file.path, "--set", "pings=4")
      #expect(set.status == 0)
      #expect(set.errors.contains("edited-lab was brought up with --set pings=3"), "\(set.errors)")

      // Other checks: said, and run.
      try edit(source("Unreachable(from: \"a\", to: \"b\")"))
      let checks = try await netlab("verify", file.path)
      #expect(checks.status == 1)
      #expect(checks.errors.contains("EditedLab.swift has changed since `up`"), "\(checks.errors)")
      #expect(checks.output.contains("✗ unreachable a → b"), "\(checks.output)")
      let status = try await netlab("status", file.path)
      #expect(status.status == 0)
      #expect(status.errors.contains("has changed since `up`"))

      // Another topology: nothing is proved about a VM that is not there.
      try edit(source(vms: ["a", "b", "c"], "Unreachable(from: \"c\", to: \"b\")"))
      let verify = try await netlab("verify", file.path)
      #expect(verify.status == 1)
      #expect(verify.output.isEmpty, "\(verify.output)")
      #expect(
        verify.errors.contains("the running lab has another topology than the file: "), "\(verify.errors)")
      let drift = try await netlab("status", file.path)
      #expect(drift.status == 1)
      #expect(drift.output.contains("edited-lab.c"), "\(drift.output)")
      // Control: the running lab by its name is as it was brought up.
      #expect(try await netlab("status", "edited-lab").status == 0)
      #expect(try await netlab("verify", "edited-lab").status == 0)

      #expect(try await netlab("up", file.path, "--datapath", "linuxbridge").status == 0)
      #expect(try await netlab("status", file.path).status == 0)
      #expect(try await netlab("down", "edited-lab").status == 0)
    }
  }
}
