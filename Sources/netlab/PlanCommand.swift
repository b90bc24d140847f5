import ArgumentParser
import LabKit
import LabLifecycle
import LabModel

struct PlanCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what `up` would do, as the ip and bridge commands a person would type.",
    discussion: """
      Touches nothing. For a lab that is not running this is a complete script:
        netlab plan Labs/TwoVMs.swift | sh -e
      """)

  @OptionGroup var options: LabOptions
  @Flag(help: "Print the commands as a JSON array.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let (document, _) = try await options.load(lifecycle)
    let commands = try lifecycle.plan(document.resolved()).commands
    if json { return try Console.printJSON(commands) }
    if commands.isEmpty { return Console.print("# \(document.name) is as it should be: nothing to do") }
    Console.print(commands.joined(separator: "\n"))
  }
}
