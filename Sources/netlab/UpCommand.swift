import ArgumentParser
import LabKit
import LabLifecycle
import LabModel
import LabProcesses

struct UpCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Bring a lab up, or make a running one as it should be.",
    discussion: """
      Compares the lab with what is there and changes only what differs: nothing on a second run, one attribute \
      after somebody changed it by hand. Nothing is created outside the lab's own namespaces.

        netlab up Labs/TwoVMs.swift
        ip netns exec two-vms.focal-1 ping 192.168.21.66
      """)

  @OptionGroup var options: LabOptions
  @Flag(help: "When it fails, leave what has been made as it is, for `netlab status` to describe.")
  var keep = false
  @Flag(help: "Print the result as JSON.") var json = false

  func world() async throws -> World? {
    let name = try await options.name(.forCommandLine())
    return options.isFile ? .newLab(name) : World.isKept(name) ? .lab(name) : nil
  }

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let clock = ContinuousClock()
    let (document, file) = try await options.load(lifecycle)
    let lab = try await document.checked()
    lab.warn()
    let start = clock.now
    let report = try await cancelledBySignals {
      try lifecycle.up(lab, labFile: file, keepingWreck: keep)
    }
    let duration = clock.now - start
    if json {
      return try Console.printJSON(
        UpResult(
          lab: document.name, changes: report.changes.map(\.summary),
          cleared: report.cleared,
          unmanaged: report.unmanaged.map { "\($0.namespace) \($0.name)" },
          milliseconds: duration.milliseconds))
    }
    for link in report.unmanaged {
      Console.warn("left alone: \(link.name) in \(link.namespace), which netlab did not make")
    }
    for setting in report.cleared { Console.print("cleared, as it was set at run time: \(setting)") }
    if report.changes.isEmpty && !report.cleared.isEmpty { return Console.print("\(document.name) is up") }
    if report.changes.isEmpty { return Console.print("\(document.name) is up: nothing to do") }
    let namespaces = report.changes.count {
      if case .create(let resource) = $0 { resource is Namespace } else { false }
    }
    let what =
      namespaces > 0
      ? "\(namespaces) namespaces, \(report.changes.count) objects" : "\(report.changes.count) repaired"
    Console.print("\(document.name) is up (\(what), \(Console.text(duration)))")
    if namespaces == 0 { for change in report.changes { Console.print("  \(change.summary)") } }
  }
}

private struct UpResult: Encodable {
  var lab: String
  var changes: [String]
  /// What had been set at run time.
  var cleared: [String]
  var unmanaged: [String]
  var milliseconds: Double
}
