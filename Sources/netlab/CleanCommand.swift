internal import ArgumentParser
internal import LabRunner

struct CleanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean",
    abstract: "Remove what interrupted runs have left.",
    discussion: """
      Takes down labs that did not come up or go down to the end, and removes namespaces that carry netlab's mark and \
      belong to no lab. Only what is recorded or marked is removed, never anything by its name; what another netlab is \
      working on is left alone.
      """)

  @Flag(help: "Only show what would be removed.") var dryRun = false
  @Flag(help: "Take down labs that are running as well.") var all = false
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let leftovers = try lifecycle.leftovers(includingRunning: all)
    let (dryRun, json) = (dryRun, json)
    var failures: [String] = []
    for leftover in leftovers {
      do {
        if !dryRun { try await cancelledBySignals { try lifecycle.clean(leftover) } }
        if !json { Console.print("\(dryRun ? "would remove" : "removed"): \(leftover.summary)") }
      } catch let error as RunnerError {
        // The others can still be removed.
        failures.append("\(leftover.summary): \(error)")
      }
    }
    if json {
      try Console.printJSON(Result(dryRun: dryRun, removed: leftovers.map(\.summary), failures: failures))
    }
    if leftovers.isEmpty && !json { Console.print("there is nothing to clean") }
    if !failures.isEmpty { throw RunnerError(.kernel, failures.joined(separator: "\n")) }
  }

  private struct Result: Encodable {
    var dryRun: Bool
    var removed: [String]
    var failures: [String]
  }
}
