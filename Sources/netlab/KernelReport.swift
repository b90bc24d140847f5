import FoundationEssentials
import LabKernel
import LabMachine
import LabModel
import LabProcesses

/// What one kernel can do: for each feature `nil`, or the kernel's words.
struct KernelReport: Codable {
  var release: String
  var features: [String: String?]

  func has(_ feature: KernelFeature) -> Bool { features[feature.rawValue].flatMap { $0 } == nil }

  /// The features a shipped lab needs and this kernel lacks.
  var missing: [String] {
    KernelFeature.allCases.filter { ![.dummy, .tun].contains($0) && !has($0) }.map(\.rawValue)
  }

  static func ofThisKernel() -> KernelReport {
    let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "?"
    let outcomes = KernelProbe.tryFeatures(KernelFeature.allCases)
    return KernelReport(
      release: String(release.split(separator: "\n").first ?? "?"),
      features: Dictionary(uniqueKeysWithValues: outcomes.map { ($0.key.rawValue, $0.value) }))
  }

  static func ofSandbox() async throws -> KernelReport {
    let result = try await ProcessRunner().run(
      [CommandLine.executable, "sandbox", "--"] + command, timeout: .seconds(60))
    return try report(from: result) { words in
      RunnerError(
        .environment, "the sandbox did not start: \(words)", remedy: "Try `netlab sandbox -- true`.")
    }
  }

  /// What this kernel can do for an ordinary user.
  ///
  /// - Throws: why the user gets no world, and what allows it.
  static func ofNewWorld() async throws -> KernelReport {
    try report(from: try await World.new.run(command)) { words in
      RunnerError(.environment, String(words.trimmingPrefix("netlab: ")))
    }
  }

  private static var command: [String] { [CommandLine.executable, "doctor", "--json", "--kernel", "host"] }

  private static func report(
    from result: ProcessResult, failure: (String) -> RunnerError
  ) throws -> KernelReport {
    guard
      let report = try? JSONDecoder().decode(DoctorCommand.Report.self, from: Data(result.standardOutput))
    else { throw failure(result.errorOutput.split(separator: "\n").joined(separator: "\n")) }
    return report.host
  }
}
