import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// Captures of the same traffic listen together, and it is made once.
@Suite(.needs(.namespaces, .veth, .bridge)) struct SharedStimulusTests {
  private func captures(at points: [CapturePoint], pinging target: String = "b", _ sighting: Sighting)
    -> [Check]
  {
    points.flatMap { point in
      Capture(at: point, filter: "icmp") { Ping(from: "a", to: target, count: 1) }.sees(sighting)
        .checkGroup.checkList
    }
  }

  private func outcomes(_ checks: [Check], in lab: RunningLab) async throws -> [String] {
    try await lab.runner.run(checks).map { result in
      switch result.outcome {
      case .passed(let detail): detail
      case .failed(let problem), .undetermined(let problem): problem.seen
      case .skipped: "skipped"
      }
    }
  }

  private func expect(_ checks: [Check], in lab: RunningLab, _ expected: [String]) async throws {
    let outcomes = try await outcomes(checks, in: lab)
    #expect(outcomes == expected)
  }

  @Test func eachSeesOnePing() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let points = ["a", "b"].map(\.capturePoint)
      try await expect(captures(at: points, .exactly(2)), in: lab, ["saw 2 packets", "saw 2 packets"])
      // Two pings would be four packets; and those that are not the same traffic are not together.
      try await expect(captures(at: points, .exactly(4)), in: lab, ["2 packets", "2 packets"])
      let apart =
        captures(at: [points[1]], .exactly(2)) + captures(at: [points[1]], .exactly(2))
        + captures(at: [points[1]], pinging: "c", .nothing)
      try await expect(apart, in: lab, ["saw 2 packets", "saw 2 packets", "saw nothing"])
    }
  }

  @Test func whoCannotListenIsNotWaitedFor() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let points = ["a".capturePoint, VM("b").device("eth7"), VM("b").qvo, "b".capturePoint]
      let seen = try await outcomes(captures(at: points, .exactly(2)), in: lab)
      #expect(seen[0] == "saw 2 packets")
      #expect(seen[1].contains("eth7"))
      #expect(seen[2] == "skipped")
      #expect(seen[3] == "saw 2 packets")
    }
  }

  @Test func trafficThatFailsFailsAll() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let seen = try await outcomes(
        captures(at: ["a", "b"].map(\.capturePoint), pinging: "d", .nothing), in: lab)
      #expect(seen == Array(repeating: "0 of 1 replies: Network is unreachable", count: 2))
    }
  }

  @Test func cancelling() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let checks = ["a", "b"].flatMap { point in
        Capture(at: point) { Run(on: "a", "sleep", "1000") }.checkGroup.checkList
      }
      let task = Task { try await lab.runner.run(checks) }
      // Each sleeps in the namespace of a, where its process can be seen.
      while try await netlab.run(["ip", "netns", "pids", lab.lab.namespace(of: "a")]).output.split(
        separator: "\n"
      ).count < 2 {}
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }
}
