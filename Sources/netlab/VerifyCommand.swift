import ArgumentParser
import FoundationEssentials
import LabChecks
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabSandbox

struct VerifyCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run a running lab's checks.",
    discussion: """
      Independent checks run side by side; those that count packets run alone. With a .swift file, that file's checks \
      are run. Exit code 0: all hold; 1: at least one does not.
      """)

  @OptionGroup var options: LabOptions
  @OptionGroup var checkOptions: CheckOptions

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let (document, _) = try await options.load(lifecycle)
    _ = try lifecycle.state(of: document.name)
    let lab = try await document.checked()
    let isGood = try await cancelledBySignals { [checkOptions] in
      try await checkOptions.run(lab, faults: lifecycle.faults)
    }
    if !isGood { throw ExitCode(1) }
  }
}

/// How checks are run and reported.
struct CheckOptions: ParsableArguments {
  @Flag(help: "Print the results as JSON.") var json = false

  @Option(
    help: ArgumentHelp("Where the packets of failed captures are kept.", valueName: "directory"))
  var captures = "netlab-captures"

  /// Runs a running lab's checks; whether all hold.
  ///
  /// - Parameter isQuietWhenGood: leaves out the sum when they do, for a caller that has more to say.
  func run(
    _ lab: ResolvedLab, faults: Faults?, isQuietWhenGood: Bool = false
  ) async throws -> Bool {
    let directory = URL(filePath: captures).path
    let report = CheckReport(lab.checks, json: json)
    let clock = ContinuousClock()
    let start = clock.now
    let results = try await CheckRunner(lab: lab, captureDirectory: directory, faults: faults).run(
      lab.checks
    ) { report.show($0) }
    if isQuietWhenGood, results.allSatisfy({ $0.failure == nil }) { return true }
    return try report.finish(
      results, lab: lab.name, kernel: Sandbox.current.map { "sandbox \($0)" } ?? "host",
      after: clock.now - start)
  }
}
