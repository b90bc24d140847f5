import Glibc
import Testing

@testable import LabLoading
@testable import LabMachine
@testable import LabProcesses

/// The cache of compiled labs does not grow without end.
@Suite struct CacheLimitsTests {
  private func names(_ lab: LabFixture) async throws -> [Substring] {
    try await shell(
      "cd \(lab.directory)/cache/netlab/labs; for lab in */current; do echo ${lab%-*}; done | sort"
    ).split(separator: "\n")
  }

  private func load(_ names: [String], of lab: LabFixture, limits: CacheLimits) async throws {
    for name in names {
      let path = "\(lab.directory)/\(name).swift"
      try await shell("[ -e \(path) ] || cp \(lab.path) \(path)")
      _ = try await lab.load(path) { $0.cacheLimits = limits }
    }
  }

  @Test func theLabThatWasNotUsedForTheLongestTimeGoes() async throws {
    try await withLab { lab in
      try await load(["a", "b", "c", "a", "d"], of: lab, limits: CacheLimits(labs: 3))
      let left = try await names(lab)
      #expect(left == ["a", "c", "d"])
    }
  }

  @Test func bytesCountAsWell() async throws {
    try await withLab { lab in
      try await load(["a", "b"], of: lab, limits: CacheLimits())
      let both = try await names(lab)
      #expect(both == ["a", "b"])
      try await load(["c"], of: lab, limits: CacheLimits(bytes: 1000))
      let left = try await names(lab)
      #expect(left == ["c"], "that in use stays")
    }
  }
}
