import ArgumentParser
import LabKit
import LabLifecycle
import LabModel

struct StatusCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show how a running lab differs from what it should be.",
    discussion: """
      Reads everything back from the kernel. With a file, the lab should be as that file says, though it may have \
      changed since `up`. Exit code 0: no drift; 1: drift, with what is wrong and the commands that \
      would mend it; `netlab up` does mend it. What `netlab impair` and `netlab link` set is shown, and is no drift.
      """)

  @OptionGroup var options: LabOptions
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let (document, _) = try await options.load(lifecycle)
    let file =
      options.isFile ? try LabFile(options.lab, document, datapath: options.datapath, lifecycle) : nil
    if let change = file?.change { Console.warn("warning: \(change)") }
    let status = try lifecycle.status(document.name, as: file?.document)
    let isGood =
      status.changes.isEmpty && status.state.phase == .up && status.foreign.isEmpty
      && status.unmanaged.isEmpty
    if json {
      try Console.printJSON(
        StatusResult(
          lab: status.state.document.name, phase: status.state.phase.rawValue,
          datapath: status.state.document.datapath.rawValue, drift: status.changes.map(\.summary),
          runtime: status.runtime, repair: status.plan.commands, failure: status.state.failure,
          foreignNamespaces: status.foreign,
          unmanaged: status.unmanaged.map { "\($0.namespace) \($0.name)" }))
    } else {
      show(status)
    }
    if !isGood { throw ExitCode(1) }
  }

  private func show(_ status: Lifecycle.Status) {
    let name = status.state.document.name
    switch status.state.phase {
    case .up: break
    case .comingUp:
      Console.print("\(name): coming up did not end; `netlab up` finishes it, `netlab down` removes it")
    case .goingDown: Console.print("\(name): going down did not end; `netlab down` finishes it")
    }
    if let failure = status.state.failure { Console.print("\(name): it failed: \(failure)") }
    for namespace in status.foreign {
      Console.print("\(name): the namespace \(namespace) is somebody else's; it is left alone")
    }
    for link in status.unmanaged {
      Console.print("\(name): \(link.name) in \(link.namespace) is not netlab's; it goes when the lab does")
    }
    for setting in status.runtime { Console.print("\(name): \(setting), set at run time") }
    guard !status.changes.isEmpty else {
      if status.unmanaged.isEmpty && status.foreign.isEmpty { Console.print("\(name): no drift") }
      return
    }
    Console.print(
      "\(name): \(status.changes.count) thing\(status.changes.count == 1 ? "" : "s") not as they should be")
    for change in status.changes {
      let place = change.resource.origin.map { "  (\(Console.shortening("\($0)")))" } ?? ""
      Console.print("  \(change.summary)\(Console.styled(place, .faint))")
    }
    Console.print("to mend it: netlab up \(options.isFile ? options.lab : name), which does")
    for command in status.plan.commands { Console.print("  \(Console.runnable(command))") }
  }
}

private struct StatusResult: Encodable {
  var lab: String
  var phase: String
  var datapath: String
  var drift: [String]
  /// What was set at run time, which is no drift.
  var runtime: [String]
  var repair: [String]
  var failure: String?
  var foreignNamespaces: [String]
  var unmanaged: [String]
}
