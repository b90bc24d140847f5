import ArgumentParser
import LabKit

struct CompileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile",
    abstract: "Check a lab and write it as JSON, for machines without Swift.",
    discussion: """
      Every command takes the JSON in place of the .swift file. Parameters are set now, and cannot be later.

        netlab compile Labs/Crowd.swift --set vms=100 > crowd.json
        netlab test crowd.json
      """)

  @OptionGroup var options: LabOptions

  func run() async throws {
    let (document, _) = try await options.load(.forCommandLine())
    _ = try await document.checked()
    Console.print(json: document.json)
  }
}
