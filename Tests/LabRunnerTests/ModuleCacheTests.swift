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

/// What the compiler makes of the system's headers is kept for labs that are compiled as nobody.
@Suite struct ModuleCacheTests {
  /// A compiler that tells each of its runs, and whose: root's in a file, nobody's as a warning.
  private func makeCompiler(in lab: LabFixture) async throws {
    try await shell(
      """
      cd \(lab.directory); mkdir bin; : >runs; chmod 666 runs
      printf '#!/bin/sh\\nid -un >>%s || echo run by $(id -un) >&2\\nexec %s "$@"\\n' $PWD/runs $(command -v swiftc) >bin/swiftc
      chmod 755 bin bin/swiftc
      """)
  }

  /// The users of the compiler's runs while a new version of the lab is loaded. Only the last run shows its warnings.
  private func usersOfCompiler(for version: Int, of lab: LabFixture) async throws -> [Substring] {
    try await shell(": >\(lab.directory)/runs")
    try await lab.write(
      #"print("{\"version\": \#(version), \"time\": \(DispatchTime.now().rawValue > 0)}")"#,
      prelude: "import Dispatch")
    let path = lab.directory + "/bin:" + (LabCompiler.initialEnvironment["PATH"] ?? "")
    let warnings = lab.log.count
    let topology = try await lab.load(environment: ["PATH": path])
    #expect(topology.contains("\"version\": \(version)"))
    return try await shell("cat \(lab.directory)/runs").split(separator: "\n")
      + lab.log.dropFirst(warnings).filter { $0.hasPrefix("run by ") }.map { $0.dropFirst("run by ".count) }
  }

  @Test func rootFillsItAndNobodyCannotChangeIt() async throws {
    try await withLab { lab in
      try await makeCompiler(in: lab)
      let first = try await usersOfCompiler(for: 1, of: lab)
      #expect(first == ["root", "nobody"])
      let modules = lab.directory + "/cache/netlab/modules"
      let files = try await shell("find \(modules) -name '*.pcm' | wc -l")
      #expect(Int(files) ?? 0 > 3)
      let spoilable = try await shell("find \(modules) -perm /022 -o ! -user root")
      #expect(spoilable == "")
      // An edited lab is compiled once, with what is there.
      let second = try await usersOfCompiler(for: 2, of: lab)
      #expect(second == ["nobody"])
    }
  }

  @Test func aLabThatImportsMoreGetsItsOwn() async throws {
    try await withLab { lab in
      try await makeCompiler(in: lab)
      _ = try await usersOfCompiler(for: 1, of: lab)
      try await shell("find \(lab.directory)/cache/netlab/modules -name 'CDispatch*' -delete")
      let users = try await usersOfCompiler(for: 2, of: lab)
      #expect(users == ["nobody"])
      let written = try await shell("find \(lab.directory)/cache/netlab/modules -name 'CDispatch*'")
      #expect(written == "")
    }
  }
}
