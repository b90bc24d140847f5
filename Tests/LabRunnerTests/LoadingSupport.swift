import Glibc
import Synchronization
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

/// A lab file, a cache of its own, and what loading it logged.
final class LabFixture: Sendable {
  let directory: String
  var path: String { directory + "/lab.swift" }
  private let lines = Mutex<[String]>([])

  /// Makes a directory that every user may enter, with a lab whose `main` has this body.
  init(_ body: String = #"print("{}")"#, prelude: String = "") async throws {
    directory = try await shell("cd $(mktemp -d); chmod 755 .; mkdir cache; pwd")
    try await write(body, prelude: prelude)
  }

  func write(_ body: String, prelude: String = "") async throws {
    try await write(
      bytes: "import LabKit\n\(prelude)\n@main struct Fixture { static func main() {\n\(body)\n} }\n")
  }

  func write(bytes text: String) async throws {
    try await shell("printf %s \"$TEXT\" >\(directory)/lab.swift", ["TEXT": text])
  }

  var log: [String] { lines.withLock { $0 } }

  func load(
    _ path: String? = nil, arguments: [String] = [], environment: [String: String] = [:],
    change: (inout LabCompiler) -> Void = { _ in }
  ) async throws -> String {
    var variables = LabCompiler.initialEnvironment
    variables["XDG_CACHE_HOME"] = directory + "/cache"
    variables.merge(environment) { $1 }
    var compiler = LabCompiler(runner: netlab, environment: variables)
    compiler.log = { line in self.lines.withLock { $0.append(line) } }
    change(&compiler)
    return String(
      decoding: try await compiler.load(labFile: path ?? self.path, arguments: arguments), as: UTF8.self)
  }

  func failure(
    _ path: String? = nil, arguments: [String] = [], environment: [String: String] = [:],
    change: (inout LabCompiler) -> Void = { _ in }
  ) async -> LoadingError {
    do {
      let topology = try await load(path, arguments: arguments, environment: environment, change: change)
      Issue.record("loading succeeded: \(topology)")
      return .noCompiler(searched: [])
    } catch {
      return error as! LoadingError
    }
  }

  /// The inodes of the binaries in the cache: a new one for each compilation.
  func binaries() async throws -> [Substring] {
    try await shell("find \(directory)/cache -name lab -printf '%i\n'").split(separator: "\n")
  }

  func remove() async throws { try await shell("rm -rf \(directory)") }
}

@discardableResult
func shell(_ script: String, _ environment: [String: String] = [:]) async throws -> String {
  let variables = LabCompiler.initialEnvironment.merging(environment) { $1 }
  let result = try await netlab.run(["sh", "-c", script], environment: variables)
  #expect(result.status.isSuccess, "\(script): \(result.errorOutput)")
  return result.output.split(separator: "\n").joined(separator: "\n")
}

/// Makes a fixture, and removes it.
func withLab(
  _ body: String = #"print("{}")"#, prelude: String = "", test: (LabFixture) async throws -> Void
) async throws {
  let lab = try await LabFixture(body, prelude: prelude)
  let outcome: Result<Void, any Error>
  do { outcome = .success(try await test(lab)) } catch { outcome = .failure(error) }
  try await lab.remove()
  try outcome.get()
}
