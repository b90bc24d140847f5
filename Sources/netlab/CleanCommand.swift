import ArgumentParser
import LabLifecycle
import LabMachine
import LabProcesses

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
    let result: Result
    if World.isNeeded {
      let options = (dryRun ? ["--dry-run"] : []) + (all ? ["--all"] : [])
      let results: [Result] = try await World.collect(["clean", "--json"] + options)
      result = Result(
        dryRun: dryRun, removed: results.flatMap(\.removed), failures: results.flatMap(\.failures))
    } else {
      result = try await cleanHere()
    }
    if json {
      try Console.printJSON(result)
    } else {
      for leftover in result.removed { Console.print("\(dryRun ? "would remove" : "removed"): \(leftover)") }
      if result.removed.isEmpty, result.failures.isEmpty { Console.print("there is nothing to clean") }
    }
    if !result.failures.isEmpty { throw RunnerError(.kernel, result.failures.joined(separator: "\n")) }
  }

  private func cleanHere() async throws -> Result {
    let lifecycle = Lifecycle.forCommandLine()
    var result = Result(dryRun: dryRun, removed: [], failures: [])
    for leftover in try lifecycle.leftovers(includingRunning: all) {
      do {
        if !dryRun { try await cancelledBySignals { try lifecycle.clean(leftover) } }
        result.removed.append(leftover.summary)
      } catch let error as RunnerError {
        // The others can still be removed.
        result.failures.append("\(leftover.summary): \(error)")
      }
    }
    return result
  }

  private struct Result: Codable {
    var dryRun: Bool
    var removed: [String]
    var failures: [String]
  }
}
