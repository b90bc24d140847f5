import Foundation
import LabKit
import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// A thousand times up and down: what there is afterwards is what there was before (`make torture`).
@Suite(.needs(.namespaces, .veth, .bridge), .enabled(if: isTorture, "make torture"), .timeLimit(.minutes(60)))
struct TortureTests {
  private func count(_ path: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: path).count
  }

  /// Objects that the kernel's allocator has handed out, in kilobytes.
  private func slab() throws -> Int {
    let lines = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8).split(separator: "\n")
    let line = lines.first { $0.hasPrefix("SUnreclaim:") } ?? ""
    return Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
  }

  @Test func `A thousand cycles leave nothing`() throws {
    let document = try ShippedLab.twoVMs().document()
    let lifecycle = Lifecycle()
    func cycle() throws {
      _ = try lifecycle.up(document, labFile: "test")
      try lifecycle.down(document.name)
    }
    // The first ones fill the kernel's caches.
    for _ in 0..<50 { try cycle() }
    let before = (try Snapshot(of: document.name), try count("/proc/self/fd"), try slab())
    for _ in 0..<1000 { try cycle() }
    let after = try Snapshot(of: document.name)
    #expect(after == before.0)
    let descriptors = try count("/proc/self/fd")
    #expect(descriptors <= before.1)
    // The kernel takes namespaces apart when it has time.
    let deadline = ContinuousClock.now + .seconds(60)
    while try slab() > before.2 + 20_000, .now < deadline {}
    #expect(try slab() <= before.2 + 20_000, "kB of kernel memory, before: \(before.2)")
    tally("cycles of up and down", 1000)
    tally("leaks", (after == before.0 ? 0 : 1) + max(0, descriptors - before.1))
  }
}
