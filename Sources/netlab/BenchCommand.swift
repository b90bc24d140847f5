import ArgumentParser
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses

struct BenchCommand: RootlessCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how long a lab takes to come up and go down, phase by phase.",
    discussion: """
      Brings the lab up and down several times, each time from a kernel that has freed everything of the time before. \
      Printed is the median of each phase, and the shortest and longest time; indented phases are part of the one above.

        netlab bench Labs/Crowd.swift --set vms=200 --datapath linuxbridge
      """)

  @OptionGroup var options: LabOptions
  @Option(help: "How often.") var runs = 5
  @Flag(help: "Print the result as JSON.") var json = false

  func validate() throws {
    guard (1...1000).contains(runs) else { throw ValidationError("--runs is a number from 1 to 1000") }
  }

  func world() -> World? { .new }

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let clock = ContinuousClock()
    let start = clock.now
    let (document, file) = try await options.load(lifecycle)
    let lab = try document.resolved()
    var table = PhaseTable()
    table.add([("load", 0, clock.now - start)])
    guard try lifecycle.store.state(of: document.name) == nil else {
      throw RunnerError(
        .usage, "the lab '\(document.name)' is running", remedy: "Take it down first, or measure another.")
    }
    for _ in 1...runs {
      try lifecycle.waitForCleanup()
      let phases = try await cancelledBySignals {
        var phases: [(name: String, depth: Int, duration: Duration)] = []
        for (command, body) in [
          ("up", { _ = try lifecycle.up(lab, labFile: file) }),
          ("second up", { _ = try lifecycle.up(lab, labFile: file) }),
          ("status", { _ = try lifecycle.status(document.name) }),
          ("down", { try lifecycle.down(document.name) }),
          ("down --wait", { try lifecycle.waitForCleanup() }),
        ] {
          let start = clock.now
          let inner = try Timeline.record(body).phases
          phases.append((command, 0, clock.now - start))
          phases += inner.map { ("\(command): \($0.name)", $0.depth + 1, $0.duration) }
        }
        return phases
      }
      table.add(phases)
    }
    if json { return try Console.printJSON(BenchResult(lab: document.name, runs: runs, phases: table.rows)) }
    for row in table.rows {
      let name =
        String(repeating: "  ", count: row.depth) + (row.name.split(separator: ": ", maxSplits: 1).last ?? "")
      let median = Console.text(.microseconds(Int(row.median * 1000)))
      let range = "\(row.shortest) … \(row.longest) ms"
      Console.print(
        name + String(repeating: " ", count: max(1, 44 - name.count)) + median
          + Console.styled(row.count > 1 ? "  (\(range))" : "", .faint))
    }
  }
}

/// The durations of phases over several runs; those of one name in one run are added up.
private struct PhaseTable {
  private var order: [String] = []
  private var depths: [String: Int] = [:]
  private var durations: [String: [Duration]] = [:]

  mutating func add(_ phases: [(name: String, depth: Int, duration: Duration)]) {
    var sums: [String: Duration] = [:]
    for phase in phases {
      if depths[phase.name] == nil { order.append(phase.name) }
      depths[phase.name] = phase.depth
      sums[phase.name, default: .zero] += phase.duration
    }
    for (name, sum) in sums { durations[name, default: []].append(sum) }
  }

  var rows: [BenchResult.Row] {
    order.map { name in
      let sorted = (durations[name] ?? []).map(\.milliseconds).sorted()
      return BenchResult.Row(
        name: name, depth: depths[name] ?? 0, count: sorted.count, median: sorted[sorted.count / 2],
        shortest: sorted[0], longest: sorted[sorted.count - 1])
    }
  }
}

/// Times in milliseconds.
private struct BenchResult: Encodable {
  var lab: String
  var runs: Int
  var phases: [Row]

  struct Row: Encodable {
    var name: String
    var depth: Int
    var count: Int
    var median: Double
    var shortest: Double
    var longest: Double
  }
}
