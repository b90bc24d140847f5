import ArgumentParser
import Glibc
import LabKit
import LabLifecycle
import LabLoading
import LabMachine
import LabModel
import LabProcesses
import Logging

/// The lab a command is about, and how it is to be read.
struct LabOptions: ParsableArguments {
  @Argument(help: "A .swift file, a compiled .json file, or the name of a running lab.")
  var lab: String

  @Option(
    help: ArgumentHelp("Set a parameter of the lab; repeatable.", valueName: "name=value"))
  var set: [String] = []

  @Option(
    help:
      "How the topology becomes kernel objects: \(Datapath.allCases.map(\.rawValue).joined(separator: " or ")). The lab's own choice by default."
  )
  var datapath: Datapath?

  @Flag(help: "Compile and evaluate root's lab as root instead of nobody.")
  var asRoot = false

  /// The options as they were typed, for the same command elsewhere.
  var forwarded: [String] {
    self.set.flatMap { ["--set", $0] } + (datapath.map { ["--datapath", $0.rawValue] } ?? [])
  }

  var isFile: Bool { lab.hasSuffix(".swift") || lab.hasSuffix(".json") }

  /// The lab as its author wrote it, with the file it came from; a running lab keeps the datapath it has.
  func load(_ lifecycle: Lifecycle) async throws -> (document: LabDocument, file: String) {
    guard isFile else {
      guard set.isEmpty else {
        throw RunnerError(
          .usage, "'\(lab)' is a running lab: its parameters are set already",
          remedy: "Give the lab's file to bring it up with other ones.")
      }
      let state = try runningState(lifecycle)
      var document = state.document
      document.datapath = datapath ?? state.document.datapath
      return (document, state.labFile)
    }
    var compiler = LabCompiler()
    compiler.runAsRoot = asRoot
    // In a world the lab was evaluated once already, to find its name, and has said what it had to say.
    let voice = LabVoice()
    if !World.isCurrent { compiler.log = { voice.say($0) } }
    let progress = Progress("compiling \(Console.shortening(lab))")
    defer { progress.end() }
    let bytes = try await compiler.load(labFile: lab, arguments: set.flatMap { ["--set", $0] })
    var document = try LabDocument(json: bytes)
    document.datapath = datapath ?? document.datapath
    return (document, lab)
  }

  /// The name of the lab: what it is called when it runs.
  func name(_ lifecycle: Lifecycle) async throws -> String {
    if isFile { return try await load(lifecycle).document.name }
    if NameRule.node.problem(of: lab) != nil, let mistake = LabPath(lab).mistake { throw mistake }
    return lab
  }

  /// What is remembered of the running lab; where there is none, the name may have been meant as a path.
  private func runningState(_ lifecycle: Lifecycle) throws -> LabState {
    do {
      return try lifecycle.state(of: lab)
    } catch {
      throw LabPath(lab).mistake ?? error
    }
  }
}

extension Datapath: ExpressibleByArgument {}

extension Lifecycle {
  /// A life cycle that tells on standard error what it waits for.
  static func forCommandLine() -> Lifecycle {
    var logger = Logger(label: "netlab") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Console.environment("NETLAB_LOG").flatMap(Logger.Level.init(rawValue:)) ?? .warning
    var lifecycle = Lifecycle(logger: logger)
    lifecycle.warning = { Console.warn("warning: \($0)") }
    lifecycle.faults = Console.environment("NETLAB_FAULT").flatMap(Faults.init)
    lifecycle.waiting = { Console.warn("waiting for another netlab that is working on the lab '\($0)' …") }
    return lifecycle
  }
}

/// A line on the terminal that says what takes so long; it shows after half a second and vanishes in the end.
struct Progress {
  private let task: Task<Void, Never>?

  init(_ message: String) {
    guard isatty(STDERR_FILENO) == 1 else {
      task = nil
      return
    }
    task = Task.detached {
      do {
        try await Task.sleep(for: .milliseconds(500))
        Console.warn("\(message) …")
      } catch {
        // It was over before it was worth telling.
      }
    }
  }

  func end() { task?.cancel() }
}
