internal import ArgumentParser
internal import LabKit
internal import LabRunner

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the running labs, and their nodes as `ip netns` names them.")

  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let states = try lifecycle.store.labs().compactMap { try lifecycle.store.state(of: $0) }
    if json { return try Console.printJSON(states.map(Row.init)) }
    if states.isEmpty { return Console.print("no lab is running") }
    let rows = states.map(Row.init).map { row in
      [row.lab, row.phase, row.datapath, "\(row.namespaces.count) namespaces", Console.shortening(row.file)]
    }
    for line in Console.table([["LAB", "STATE", "DATAPATH", "SIZE", "FILE"]] + rows) { Console.print(line) }
  }

  private struct Row: Encodable {
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
