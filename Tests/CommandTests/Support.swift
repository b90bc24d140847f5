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
import LabSandbox
import LabTrace
import Testing
import Values

/// What a command printed, and how it ended.
struct Outcome {
  var status: Int32
  var output: String
  var errors: String
}

/// The checkout, and the netlab that was built with these tests.
enum Checkout {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let netlab = folder.appending(path: ".build/debug/netlab").path

  /// A folder of a test's own below the checkout, where the sandbox can see it; removed by the caller.
  static func scratch() throws -> URL {
    let folder = folder.appending(path: ".build/scratch/\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}

/// Runs a command in the checkout to its end.
@discardableResult
func run(_ command: [String], environment: [String: String] = [:], in folder: URL = Checkout.folder)
  async throws -> Outcome
{
  // By way of env, so that the command is found in PATH.
  let assignments = environment.map { "\($0)=\($1)" }
  let result = try await ProcessRunner().run(
    ["env", "-C", folder.path] + assignments + command, timeout: .seconds(180), outputLimit: 8 << 20)
  let status: Int32 =
    switch result.status {
    case .exited(let code): code
    case .signalled(let signal): 128 + signal
    }
  return Outcome(status: status, output: result.output, errors: result.errorOutput)
}

/// Runs netlab in the checkout.
@discardableResult
func netlab(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
  try await run([Checkout.netlab] + arguments, environment: environment)
}

extension Trait where Self == ConditionTrait {
  /// For tests that start a sandbox or a compiler themselves: they run once, on the host.
  static var onHost: Self { .disabled("run on the host", { Sandbox.current != nil }) }
}
