import ArgumentParser
import LabKit
import LabLifecycle
import LabProcesses

/// For an ordinary user, who has a world for each lab, those of all worlds.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the running labs, and their nodes as `ip netns` names them.",
    discussion: "Of an ordinary user those are listed that they brought up themselves.")

  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let labs: [[Row]] = World.isNeeded ? try await World.collect(["list", "--json"]) : [try labsHere()]
    let rows = labs.flatMap(\.self)
    if json { return try Console.printJSON(rows) }
    if rows.isEmpty { return Console.print("no lab is running") }
    let cells = rows.map { row in
      [row.lab, row.phase, row.datapath, "\(row.namespaces.count) namespaces", Console.shortening(row.file)]
    }
    for line in Console.table([["LAB", "STATE", "DATAPATH", "SIZE", "FILE"]] + cells) { Console.print(line) }
  }

  private func labsHere() throws -> [Row] {
    let store = Lifecycle.forCommandLine().store
    return try store.labs().compactMap { try store.state(of: $0) }.map(Row.init)
  }

  private struct Row: Codable {
    var lab: String
    var phase: String
    var datapath: String
    var file: String
    var namespaces: [String]

    init(_ state: LabState) {
      lab = state.document.name
      phase =
        switch state.phase {
        case .up: "up"
        case .comingUp: "coming up"
        case .goingDown: "going down"
        }
      datapath = state.document.datapath.rawValue
      file = state.labFile
      namespaces = state.namespaces
    }
  }
}
