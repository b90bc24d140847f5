import Foundation
import LabChecks
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabLoading
import LabMachine
import LabModel
import LabMutation
import LabProcesses
import LabTrace
import Testing
import Values

/// Each lab that ships passes `netlab test`, wired either way.
extension CommandTests {
  @Suite(.serialized) struct LabTests {
    static let labs = ["TwoVMs", "TwoSubnets", "TwoNetworks", "TrunkVM", "Crowd", "Service", "Impaired"]

    @Test(arguments: labs, ["hybrid", "linuxbridge"])
    func `A lab that ships passes its checks`(lab: String, datapath: String) async throws {
      let outcome = try await netlab("test", "Labs/\(lab).swift", "--datapath", datapath, "--json")
      #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
      let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
      #expect(report.failed == 0)
      #expect(report.passed > 0)
      // Only what is about tags may be skipped, and only where there are none.
      #expect(report.checks.filter { $0.outcome == "skipped" }.allSatisfy { $0.check.contains("tag") })
      #expect(datapath == "linuxbridge" || report.skipped == 0)
    }

    @Test func `The folder and this list hold the same labs`() throws {
      let files = try FileManager.default.contentsOfDirectory(
        atPath: Checkout.folder.appending(path: "Labs").path)
      #expect(Set(files.filter { $0.hasSuffix(".swift") }) == Set(Self.labs.map { "\($0).swift" }))
    }

    private struct Report: Decodable {
      struct Check: Decodable {
        var check: String
        var outcome: String
      }
      var passed: Int
      var failed: Int
      var skipped: Int
      var checks: [Check]
    }
  }
}
