import ArgumentParser
import FoundationEssentials
import LabMachine
import LabProcesses

/// A command that works in namespaces, for which an ordinary user needs a world.
protocol RootlessCommand: AsyncParsableCommand {
  /// The world that an ordinary user's run of it takes place in; `nil`: it needs none.
  func world() async throws -> World?
}

extension RootlessCommand {
  /// Starts this program anew where it can do its work; returns when that is here.
  func enterWorld() async throws {
    guard World.isNeeded, let world = try await world() else { return }
    end(try world.replaceProcess(with: [CommandLine.executable] + CommandLine.arguments.dropFirst()))
  }
}

/// A command about one lab, which takes place where that lab is.
protocol RootlessLabCommand: RootlessCommand {
  var options: LabOptions { get }
}

extension RootlessLabCommand {
  func world() async throws -> World? {
    let name = try await options.name(.forCommandLine())
    return World.isKept(name) ? .lab(name) : nil
  }
}

extension World {
  /// Runs this program in the world of each of the user's labs, and gives back what it prints there as JSON.
  static func collect<Report: Decodable>(_ arguments: [String]) async throws -> [Report] {
    var reports: [Report] = []
    for lab in try labs() {
      let result = try await World.lab(lab).run([CommandLine.executable] + arguments)
      // The keeper was killed: there is no world any more.
      if result.status == .exited(RunnerError.Kind.usage.rawValue) { continue }
      guard let report = try? JSONDecoder().decode(Report.self, from: Data(result.standardOutput)) else {
        throw RunnerError(.environment, "cannot look at the lab '\(lab)': \(result.errorOutput)")
      }
      reports.append(report)
    }
    return reports
  }
}
