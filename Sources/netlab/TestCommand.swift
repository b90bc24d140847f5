import ArgumentParser
import FoundationEssentials
import LabChecks
import LabKernel
import LabKit
import LabLifecycle
import LabLoading
import LabMachine
import LabModel
import LabProcesses
import LabSandbox

struct TestCommand: RootlessCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Bring a lab up, run its checks, and take it down: the command for CI.",
    discussion: """
      Where this machine's kernel lacks what the lab needs, or refuses an ordinary user namespaces, the whole run \
      takes place in a User-Mode-Linux kernel (see `netlab help sandbox`), which the first line says.

        netlab test Labs/TwoVMs.swift
        netlab test Labs/Crowd.swift --set vms=100 --datapath linuxbridge --kernel host
      """)

  @OptionGroup var options: LabOptions
  @OptionGroup var checkOptions: CheckOptions

  enum Kernel: String, ExpressibleByArgument, CaseIterable { case auto, host, sandbox }
  @Option(help: "Where to run: on this machine's kernel, in the sandbox, or on whichever can (auto).")
  var kernel = Kernel.auto

  @Flag(help: "Leave the lab up when not every check holds, to look at it (on the host's kernel only).")
  var keep = false

  @Flag(
    help: """
      When all checks hold, break one attribute of the lab at a time, and report what no check notices. Exit code 1: \
      something was not noticed.
      """)
  var mutate = false

  @Option(help: "How many attributes --mutate breaks at most.") var mutations = 100

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let (document, file): (LabDocument, String)
    do {
      (document, file) = try await options.load(lifecycle)
    } catch LoadingError.noOtherUser where kernel != .host && Sandbox.unavailability() == nil {
      // The sandbox has other users.
      let status = try await runInSandbox([options.lab] + options.forwarded, because: Rights.lack ?? "")
      throw ExitCode(status)
    }
    let lab = try await document.checked()
    let status: Int32
    if let reason = try await reasonForSandbox(lab) {
      status = try await runInSandbox(lab, because: reason)
    } else {
      status = try await runHere(lab, file: file, lifecycle: lifecycle)
    }
    if status != 0 { throw ExitCode(status) }
  }

  func world() async throws -> World? {
    let (document, _) = try await options.load(.forCommandLine())
    let lab = try await document.checked()
    guard try await reasonForSandbox(lab) == nil else { return nil }
    return keep ? .newLab(lab.name) : .new
  }

  /// Why the sandbox is to be used; `nil` when this kernel is.
  private func reasonForSandbox(_ lab: ResolvedLab) async throws -> String? {
    switch kernel {
    case .host: return nil
    case .sandbox: return Sandbox.current == nil && !World.isCurrent ? "as you asked" : nil
    case .auto:
      guard Sandbox.current == nil, !World.isCurrent else { return nil }
      do {
        let missing = try await missingFeatures(of: lab.blueprint())
        if !missing.isEmpty, let lack = Rights.lack { return lack }
        return missing.isEmpty
          ? nil : "this machine's kernel cannot do \(missing.map(\.rawValue).joined(separator: ", "))"
      } catch let error as RunnerError {
        return String(error.message.prefix { $0 != "\n" })
      }
    }
  }

  private func missingFeatures(of blueprint: Blueprint) async throws -> [KernelFeature] {
    guard World.isNeeded else { return KernelProbe.missing(blueprint.features) }
    let report = try await KernelReport.ofNewWorld()
    return KernelFeature.allCases.filter { blueprint.features.contains($0) && !report.has($0) }
  }

  private func runHere(_ lab: ResolvedLab, file: String, lifecycle: Lifecycle) async throws -> Int32 {
    guard try lifecycle.store.state(of: lab.name) == nil else {
      throw RunnerError(
        .usage, "the lab '\(lab.name)' is running already",
        remedy: "Check it with `netlab verify \(lab.name)`, or take it down first.")
    }
    try lab.checks.requireTools()
    return try await cancelledBySignals {
      let clock = ContinuousClock()
      let start = clock.now
      _ = try lifecycle.up(lab, labFile: file)
      if !checkOptions.json {
        Console.print("\(lab.name) is up (\(Console.text(clock.now - start)))")
      }
      do {
        var verdict = try await checkOptions.run(
          lab, faults: lifecycle.faults, isQuietWhenGood: mutate && checkOptions.json)
        if verdict == .holds, mutate {
          let isNoticed = try await MutationReport(json: checkOptions.json).run(
            lab, file: file, limit: mutations, lifecycle)
          if !isNoticed { verdict = .fails }
        }
        if verdict != .holds, keep {
          Console.warn("\(lab.name) is still up: netlab down \(lab.name)")
        } else {
          try down(lab, lifecycle)
        }
        return verdict.exitCode
      } catch {
        // Also when interrupted: taking a lab down does not suspend, so nothing can cancel it.
        try down(lab, lifecycle)
        throw error
      }
    }
  }

  private func down(_ lab: ResolvedLab, _ lifecycle: Lifecycle) throws {
    let clock = ContinuousClock()
    let start = clock.now
    try lifecycle.down(lab.name)
    if !checkOptions.json { Console.print("\(lab.name) is down (\(Console.text(clock.now - start)))") }
  }

  /// Runs the same command in the sandbox, on the lab as it was evaluated here.
  private func runInSandbox(_ lab: ResolvedLab, because reason: String) async throws -> Int32 {
    let folder = URL.temporaryDirectory.appending(path: "netlab-test-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "\(lab.name).json")
    try Data(lab.document.json.utf8).write(to: file)
    return try await runInSandbox([file.path], writing: [folder.path], because: reason)
  }

  private func runInSandbox(
    _ lab: [String], writing folders: [String] = [], because reason: String
  ) async throws -> Int32 {
    if !checkOptions.json { Console.print("in a User-Mode-Linux kernel, because \(reason):") }
    var sandbox = Sandbox()
    sandbox.writableFolders = folders
    let command =
      [CommandLine.executable, "test"] + lab + ["--kernel", "host", "--captures", checkOptions.captures]
      + (checkOptions.json ? ["--json"] : []) + (checkOptions.allowEmpty ? ["--allow-empty"] : [])
      + (mutate ? ["--mutate", "--mutations", "\(mutations)"] : [])
    return try await cancelledBySignals { [sandbox] in try await sandbox.run(command) }
  }
}

extension CommandLine {
  /// The path of this program.
  static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? arguments[0]
  }
}
