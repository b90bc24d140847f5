import FoundationEssentials
import LabKit

/// A process that runs in a node as long as the lab is up: what a ``Service`` becomes.
package struct Daemon: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case running
    /// Why it does not run: `exited with 1 3 minutes ago; last lines: …`
    case ended(String)
  }

  package var namespace: String
  package var service: Service
  /// What it calls the machine it runs on.
  package var hostname: String
  package var state = State.running
  /// Its number among the lab's processes, for what was observed.
  package var process: Int32?
  package var origin: SourceLocation? { service.location }

  package init(namespace: String, service: Service, hostname: String) {
    self.namespace = namespace
    self.service = service
    self.hostname = hostname
  }

  /// NODE.SERVICE: what it is known by among the lab's processes.
  package var name: String { service.fullName }
  package var lab: String { String(namespace.dropLast(service.node.utf8.count + 1)) }
}

extension Daemon: Resource {
  package var identity: String { name }
  package var description: String { "service \(service.name)" }

  /// It may use all that its node has.
  static let started = Stage(after: TableEntry.added, Setup.done)

  package func differences(from observed: Daemon) -> [AttributeDifference] {
    var differences: [AttributeDifference] = []
    func compare(_ attribute: String, _ text: (Daemon) -> String) {
      let (wanted, found) = (text(self), text(observed))
      if wanted == found { return }
      differences.append(AttributeDifference(attribute: attribute, wanted: wanted, observed: found))
    }
    compare("command") { $0.service.command.map(\.shellQuoted).joined(separator: " ") }
    compare("environment") { daemon in
      daemon.service.environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")
    }
    compare("directory") { $0.service.directory }
    compare("user") { $0.service.user ?? "root" }
    compare("restart") { $0.service.restart.rawValue }
    compare("hostname") { $0.hostname }
    if case .ended(let how) = observed.state {
      differences.append(AttributeDifference(attribute: "state", wanted: "running", observed: how))
    }
    return differences
  }

  package func summary(_ differences: [AttributeDifference]) -> String? {
    guard let state = differences.first(where: { $0.attribute == "state" }) else { return nil }
    return "not running: \(service.name) in \(namespace): \(state.observed)"
  }

  /// The kernel ends no process when the devices or the namespace it uses go: that takes a step.
  package func survives(_ removal: Removal) -> Bool { true }

  package enum Step: PlanStep {
    case start(Daemon)
    case stop(Daemon)

    package var daemon: Daemon {
      switch self {
      case .start(let daemon), .stop(let daemon): daemon
      }
    }
    package var namespace: String { daemon.namespace }
    package var origin: SourceLocation? { daemon.origin }
    package var commands: [String] {
      let (service, lab) = (daemon.service, daemon.lab)
      let place = "netlab exec \(lab) \(service.node) --"
      switch self {
      case .start:
        let environment = service.environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)".shellQuoted }
        let words =
          (service.user.map { ["setpriv --reuid \($0.shellQuoted)"] } ?? [])
          + (environment.isEmpty && service.directory == "/"
            ? [] : ["env -C \(service.directory.shellQuoted)"] + environment)
          + service.command.map(\.shellQuoted)
        return ["\(place) \(words.joined(separator: " ")) &"]
      case .stop: return daemon.process.map { ["\(place) kill \($0)"] } ?? []
      }
    }
  }

  /// They are started in the lab's order, in which each comes after what it needs, and stopped in the other.
  package static func plan(_ changes: [ChangeOf<Daemon>], in plan: inout Plan) {
    var (start, stop): ([Step], [Step]) = ([], [])
    for change in changes {
      switch change {
      case .create(let daemon): start.append(.start(daemon))
      case .delete(let daemon): stop.append(.stop(daemon))
      case .update(let daemon, let old, _):
        stop.append(.stop(old))
        start.append(.start(daemon))
      }
    }
    plan.remove(stop.reversed(), of: started)
    plan.add(start, at: started)
  }
}

extension Daemon {
  /// What is kept beside the process, so that who comes later knows what it was started as. Where it stands in the lab's
  /// file is no part of that.
  package struct Definition: Codable {
    package var service: Service
    package var hostname: String
    /// The number of the network namespace that it was started in.
    package var network: UInt64

    package init(_ daemon: Daemon, network: UInt64) {
      service = daemon.service
      hostname = daemon.hostname
      self.network = network
    }

    package var json: String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    package init?(json: String) {
      guard let known = try? JSONDecoder().decode(Self.self, from: Data(json.utf8)) else { return nil }
      self = known
    }
  }
}

extension Blueprint {
  package var daemons: [Daemon] {
    get { self[Daemon.self] }
    _modify { yield &self[Daemon.self] }
  }
}
