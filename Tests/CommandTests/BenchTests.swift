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
import TestSupport
import Testing
import Values

/// What measures: that it measures, not how fast anything is.
@Suite(.onHost, .needs(.bridge, .veth), .timeLimit(.minutes(2)))
struct BenchTests {
  private static let lab = """
    import LabKit
    @main struct Lab1: Lab {
      static var name: String { "measured-NUMBER" }
      let net = Network("net", subnet: "10.0.0.0/24")
      var topology: some Topology {
        Host("compute-1") { for number in 1...3 { VM("vm-\\(number)").port(on: net) } }
      }
    }
    """

  @Test func `Every phase of up and down is measured, and nothing is left`() async throws {
    let (lab, name) = try await compiled()
    defer { try? FileManager.default.removeItem(at: lab.deletingLastPathComponent()) }
    let outcome = try await netlab("bench", lab.path, "--datapath", "linuxbridge", "--runs", "2", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    #expect(report.runs == 2)
    for phase in [
      "load", "up", "up: apply", "up: namespaces", "up: observe", "second up", "down", "down: unpin",
      "down --wait: free",
    ] {
      let row = try #require(report.phases.first { $0.name == phase }, "\(phase)")
      #expect(row.shortest <= row.median && row.median <= row.longest)
      #expect(row.count == (phase == "load" ? 1 : 2))
    }
    let namespaces = try await run(["ip", "netns"])
    #expect(!namespaces.output.contains(name))
  }

  @Test func `down --wait returns when everything is freed, and says how long that took`() async throws {
    let (lab, name) = try await compiled()
    defer { try? FileManager.default.removeItem(at: lab.deletingLastPathComponent()) }
    let up = try await netlab("up", lab.path, "--datapath", "linuxbridge")
    #expect(up.status == 0, "\(up)")
    let down = try await netlab("down", name, "--wait")
    #expect(down.status == 0, "\(down)")
    #expect(
      down.output.contains("\(name) is down") && down.output.contains("; everything was freed after"),
      "\(down)")
  }

  /// A lab of a name that no other run has.
  private func compiled() async throws -> (lab: URL, name: String) {
    let scratch = try Checkout.scratch()
    let number = "\(UInt32.random(in: .min ... .max))"
    let source = scratch.appending(path: "Lab1.swift")
    try Self.lab.replacing("NUMBER", with: number).write(to: source, atomically: true, encoding: .utf8)
    let compiled = try await netlab("compile", source.path)
    try #require(compiled.status == 0, "\(compiled)")
    let lab = scratch.appending(path: "lab.json")
    try compiled.output.write(to: lab, atomically: true, encoding: .utf8)
    return (lab, "measured-\(number)")
  }

  private struct Report: Decodable {
    var runs: Int
    var phases: [Phase]

    struct Phase: Decodable {
      var name: String
      var count: Int
      var median: Double
      var shortest: Double
      var longest: Double
    }
  }
}
