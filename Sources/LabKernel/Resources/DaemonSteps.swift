import FoundationEssentials
import LabKeeper
import LabKit
import LabMachine
import LabModel

extension Daemon: KernelResource {
  package static let aspects: KernelState.Aspects = []
  /// Namespaces know nothing of them: see `observe`.
  package static func found(in node: ObservedNode) -> [Daemon] { [] }
}

extension Daemon.Step: ExecutableStep {
  package static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure) {
    for step in steps {
      try applier.run(step) { programs, namespace throws(RunnerError) in
        switch step {
        case .start(let daemon):
          if let namespace { try programs.start(daemon, in: namespace) }
        case .stop(let daemon): try programs.stop(daemon)
        }
      }
    }
  }
}

extension Daemon {
  /// What a lab's keeper has.
  package static func observe(
    in folder: LabFolder, lab: String, _ namespaces: OpenNamespaces
  ) throws(RunnerError) -> [Daemon] {
    guard let keeper = try LabKeeper(at: folder.keeper) else { return [] }
    var observed: [Daemon] = []
    for report in try keeper.daemons() {
      let definition = Definition(json: report.definition)
      // Nothing is known of one without a definition but that it is not wanted.
      let service = definition?.service ?? Service(unknown: report.name)
      let namespace = "\(lab).\(service.node)"
      var daemon = Daemon(
        namespace: namespace, service: service, hostname: definition?.hostname ?? service.node)
      daemon.process = report.process
      if report.state == .ended || report.state == .pausing {
        daemon.state = .ended(report.past(LogTail(path: folder.log(of: report.name), from: 0).shortWords))
      } else if namespaces[namespace]?.number != definition?.network {
        daemon.state = .ended("it is in a network namespace that \(service.node) has no more")
      }
      observed.append(daemon)
    }
    return observed
  }
}

extension Service {
  fileprivate init(unknown fullName: String) {
    let parts = fullName.split(separator: ".", maxSplits: 1).map(String.init)
    self.init(
      node: parts.first ?? fullName, name: parts.count > 1 ? parts[1] : "", command: [],
      location: SourceLocation(file: "", line: 0, column: 0))
  }
}

extension DaemonReport {
  /// `exited with 1 3 minutes ago; last lines: …`
  fileprivate func past(_ lines: String) -> String {
    let now = Date.now.timeIntervalSince1970
    let age = ended.map { Int(max(0, now - Double($0) / 1000)) }
    let again = state == .pausing ? ", and is about to be started again" : ""
    return "\(ending)\(age.map { ", \(Self.words(forAge: $0)) ago" } ?? "")\(again)\(lines)"
  }

  private static func words(forAge seconds: Int) -> String {
    func words(_ count: Int, _ unit: String) -> String { "\(count) \(unit)\(count == 1 ? "" : "s")" }
    return switch seconds {
    case ..<120: words(seconds, "second")
    case ..<7200: words(seconds / 60, "minute")
    case ..<172_800: words(seconds / 3600, "hour")
    default: words(seconds / 86_400, "day")
    }
  }
}
