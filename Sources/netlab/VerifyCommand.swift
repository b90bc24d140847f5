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
      Independent checks run side by side; those that count packets run alone. With a file, that file's checks \
      are run; the lab must have that file's topology.

      Exit code 0: all hold; 1: at least one does not; 3: none fails, but at least one could not be determined, or there \
      was nothing to prove.
      """)

  @OptionGroup var options: LabOptions
  @OptionGroup var checkOptions: CheckOptions

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    var (document, _) = try await options.load(lifecycle)
    if options.isFile {
      let file = try LabFile(options.lab, document, datapath: options.datapath, lifecycle)
      guard try file.agrees() else { throw ExitCode(1) }
      document = file.document
    }
    let lab = try await document.checked()
    try lab.checks.requireTools()
    let verdict = try await cancelledBySignals { [checkOptions] in
      try await checkOptions.run(lab, faults: lifecycle.faults)
    }
    if verdict != .holds { throw ExitCode(verdict.exitCode) }
  }
}

/// How checks are run and reported.
struct CheckOptions: ParsableArguments {
  @Flag(help: "Print the results as JSON.") var json = false

  @Option(
    help: ArgumentHelp("Where the packets of failed captures are kept.", valueName: "directory"))
  var captures = "netlab-captures"

  @Flag(help: "Let a lab pass that has no checks, or only checks that were skipped.")
  var allowEmpty = false

  /// Runs a running lab's checks.
  ///
  /// - Parameter isQuietWhenGood: leaves out the sum when they do, for a caller that has more to say.
  func run(
    _ lab: ResolvedLab, faults: Faults?, isQuietWhenGood: Bool = false
  ) async throws -> Verdict {
    lab.warn()
    let directory = URL(filePath: captures).path
    let report = CheckReport(lab.checks, json: json)
    let clock = ContinuousClock()
    let start = clock.now
    let results = try await CheckRunner(lab: lab, captureDirectory: directory, faults: faults).run(
      lab.checks
    ) { report.show($0) }
    let verdict = Verdict(results, allowEmpty: allowEmpty)
    if isQuietWhenGood, verdict == .holds { return verdict }
    try report.finish(
      results, lab: lab.name, kernel: Sandbox.current.map { "sandbox \($0)" } ?? "host",
      after: clock.now - start)
    if verdict == .undetermined, !results.contains(where: { $0.problem != nil }) {
      let reason = results.isEmpty ? "the lab has no checks" : "all of its checks were skipped"
      Console.warn("netlab: nothing was proved: \(reason)\n  --allow-empty lets it pass.")
    }
    return verdict
  }
}
