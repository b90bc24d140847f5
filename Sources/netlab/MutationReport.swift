import LabKit
import LabLifecycle
import LabModel
import LabMutation

/// Shows what became of mutations as they end, and the holes in the lab's checks.
struct MutationReport {
  let json: Bool

  /// Breaks a running lab whose checks hold, one attribute at a time; whether a check noticed each.
  func run(_ lab: ResolvedLab, file: String, limit: Int, _ lifecycle: Lifecycle) async throws -> Bool {
    let all = Mutation.all(of: lab)
    let test = MutationTest(lab, labFile: file, lifecycle: lifecycle)
    if !json {
      Console.print("\nbreaking \(min(all.count, limit)) of \(all.count) attributes, one at a time:")
    }
    let results = try await test.run(Array(all.prefix(limit))) { show($0) }
    let holes = results.filter { $0.noticedBy == nil }
    if json {
      try Console.printJSON(results.map(Row.init))
      return holes.isEmpty
    }
    Console.print("\(results.count) broken: \(results.count - holes.count) noticed, \(holes.count) not")
    if !holes.isEmpty { Console.print("\nChecks that would have noticed:") }
    var shown: Set<String> = []
    for hole in holes where shown.insert(hole.mutation.suggestion).inserted {
      Console.print("  \(hole.mutation.suggestion)")
    }
    return holes.isEmpty
  }

  private func show(_ result: MutationTest.Result) {
    guard !json else { return }
    let time = Console.styled(Console.text(result.duration), .faint)
    if let check = result.noticedBy {
      Console.print(
        "\(Console.styled("✓", .good)) \(result.mutation.title)  noticed by: \(check.value.title.terminalSafe)  \(time)"
      )
    } else {
      Console.print(
        "\(Console.styled("✗", .bad)) \(Console.styled(result.mutation.title, .strong))  not noticed  \(time)"
      )
      for command in result.commands { Console.print("    \(command)") }
    }
  }

  private struct Row: Encodable {
    var mutation: String
    var commands: [String]
    var noticedBy: String?
    var suggestion: String?
    var milliseconds: Double

    init(_ result: MutationTest.Result) {
      mutation = result.mutation.title
      commands = result.commands
      noticedBy = result.noticedBy?.value.title
      suggestion = noticedBy == nil ? result.mutation.suggestion : nil
      milliseconds = result.duration.milliseconds
    }
  }
}
