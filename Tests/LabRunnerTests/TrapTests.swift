import Testing

@testable import LabLoading
@testable import LabMachine
@testable import LabProcesses

/// A lab that stops by itself is told by the line on which it does.
@Suite struct TrapTests {
  @Test(arguments: [
    ("let numbers: [Int] = []\nprint(numbers[CommandLine.arguments.count])", "5:14: Index out of range"),
    (#"let number = Int(CommandLine.arguments[0])!; print(number)"#, "4:43: Unexpectedly found nil"),
    (#"fatalError("this lab is\u{1b}[2J unfinished")"#, "4:1: this lab is\u{1b}[2J unfinished"),
    (
      "var small = UInt8(CommandLine.arguments.count)\nsmall -= 200\nprint(small)",
      "5:7: arithmetic overflow"
    ),
  ])
  func placeAndReason(body: String, words: String) async throws {
    try await withLab(body) { lab in
      let error = await lab.failure()
      #expect(error.description.contains("it stopped at \(lab.path):\(words)"), "\(error)")
      #expect(error.exitCode == 2)
      #expect(lab.log == [], "the runtime's report is not shown")
    }
  }

  @Test func whatItPrintsBeforeIsShown() async throws {
    try await withLab(
      #"fputs("before\nFatal error: not yet\nbehind\n", stderr); fatalError("now")"#,
      prelude: "@preconcurrency import Glibc"
    ) { lab in
      let error = await lab.failure()
      #expect(error.description.contains(":4:"))
      #expect(lab.log == ["before", "Fatal error: not yet", "behind"])
    }
  }

  @Test func aLabThatOnlySaysSoIsNoTrap() async throws {
    try await withLab(
      #"fputs("Fatal error: joking\n", stderr); print("{}")"#, prelude: "@preconcurrency import Glibc"
    ) { lab in
      _ = try await lab.load()
      #expect(lab.log == ["Fatal error: joking"])
    }
  }
}
