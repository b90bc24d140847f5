import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Logging
import Netlink
import SystemPackage
import Values

extension Lifecycle {
  /// What `up` did.
  package struct UpReport: Sendable {
    /// What differed before, and was changed; empty when there was nothing to do.
    package var changes: [Change]
    /// Devices in the lab's namespaces that netlab did not make; left alone.
    package var unmanaged: [LabModel.Link]
    /// What had been set at run time and was cleared, as `status` had shown it.
    package var cleared: [String] = []
  }

  /// Makes the kernel be as the lab says, from whatever state it is in. All or nothing: what a failed run has made or
  /// changed is undone.
  ///
  /// - Parameter keepingWreck: leaves what a failed run has made as it is, for `status` to describe.
  /// - Throws: `CancellationError` when its task was cancelled, after everything is undone.
  package func up(_ lab: ResolvedLab, labFile: String, keepingWreck: Bool = false) throws -> UpReport {
    let document = lab.document
    let blueprint = Timeline.phase("realise") { lab.blueprint() }
    let lock = try store.lock(lab.name, waiting: { waiting(lab.name) })
    defer { extendLifetime(lock) }
    let previous = try store.state(of: lab.name)
    var state =
      previous
      ?? LabState(document: document, labFile: labFile, token: Mark.newToken(), namespaces: [])
    state.phase = .comingUp
    state.labFile = labFile
    state.failure = nil
    state.replaceDocument(with: document)
    let wanted = blueprint.marked(state.mark)
    state.addNamespaces(of: wanted)
    var run = Run(
      lifecycle: self, state: state, previous: previous, wanted: wanted, hosts: lab.hostsFile)
    do {
      let report = try run.converge()
      // From here on the lab is up, whatever signal comes.
      try Task.checkCancellation()
      state.phase = .up
      state.earlier = []
      state.namespaces = wanted.namespaces.map(\.name)
      try save(state, over: run.hasStarted ? run.state : previous)
      return try clearingRuntimeSettings(report, of: lab.name, wanted)
    } catch {
      let error = explained(error, needing: blueprint, keepingWreck: keepingWreck)
      if keepingWreck && run.hasStarted && !(error is CancellationError) {
        state.failure = "\(error)"
        try store.save(state)
      } else {
        try run.undo(because: error)
      }
      throw error
    }
  }

  /// Writes what of the state differs from what was written last, unless a test wants that to go wrong.
  func save(_ state: LabState, over written: LabState? = nil) throws {
    if let code = faults?.next() { throw FileError("write the state of the lab", Errno(rawValue: code)) }
    try Timeline.phase("write state") { try store.save(state, over: written) }
  }

  private func clearingRuntimeSettings(
    _ report: UpReport, of lab: String, _ wanted: Blueprint
  ) throws -> UpReport {
    let settings = store.runtimeSettings(of: lab)
    if settings.isEmpty { return report }
    var report = report
    report.cleared = report.changes.filter { settings.cover($0, in: wanted) }.compactMap(\.runtimeText)
    report.changes.removeAll { settings.cover($0, in: wanted) }
    try store.save(RuntimeSettings(), of: lab)
    return report
  }

  /// The error with what a person can do about it.
  func explained(_ error: any Error, needing blueprint: Blueprint, keepingWreck: Bool) -> any Error {
    let failure = error as? StepFailure
    let code = failure?.error?.code ?? (error as? NetlinkError)?.code
    let words = failure?.report ?? "\(error)"
    switch code {
    case ECANCELED: return CancellationError()
    case EPERM, EACCES:
      return RunnerError(.environment, words, remedy: "Run it as root (sudo netlab …).")
    case EMFILE, ENFILE:
      return RunnerError(.environment, words, remedy: "Raise the limit of open files: ulimit -n.")
    case nil: return failure.map { RunnerError(.kernel, $0.report) } ?? error
    default:
      let missing = KernelProbe.missing(blueprint.features)
      guard missing.isEmpty else {
        let names = missing.map { "\($0.rawValue) (\($0.option))" }.joined(separator: ", ")
        return RunnerError(
          .environment, "this machine's kernel lacks \(names)\n\(words)",
          remedy:
            "`netlab doctor` shows what it can do; `netlab sandbox` starts a kernel that can do everything.")
      }
      return RunnerError(
        .kernel, words,
        remedy: keepingWreck
          ? "What had been made is kept: `netlab status` shows it, `netlab down` removes it."
          : "Everything is as it was before; `netlab doctor` examines this machine.")
    }
  }
}

/// One run of `up`, with what is needed to undo it.
private struct Run {
  let lifecycle: Lifecycle
  let state: LabState
  let previous: LabState?
  let wanted: Blueprint
  /// What the nodes have as /etc/hosts.
  let hosts: String
  let programs: Programs
  /// Whether the kernel may have been touched, and the state is written.
  private(set) var hasStarted = false
  /// What there was before.
  private var before: Blueprint?
  /// The namespaces that this run made, and where they come from.
  private var created: [String] = []
  private var supply: NamespaceSupply?

  init(
    lifecycle: Lifecycle, state: LabState, previous: LabState?, wanted: Blueprint, hosts: String
  ) {
    self.hosts = hosts
    programs = Programs(lifecycle.store.folder(of: state.document.name)) { Task.isCancelled }
    self.lifecycle = lifecycle
    self.state = state
    self.previous = previous
    self.wanted = wanted
  }

  mutating func converge() throws -> Lifecycle.UpReport {
    var namespaces = try lifecycle.open(state)
    if let name = namespaces.foreign.first { throw foreignNamespace(name) }
    // The kernel makes them while it is found out what has to go into them.
    let missing = wanted.namespaces.count { namespaces[$0.name] == nil }
    if missing > 0 { supply = try NamespaceSupply(missing) }
    let found = try lifecycle.observe(namespaces, of: state, wanted: wanted)
    try checkNames(found.unmanaged)
    before = found.blueprint
    let difference = compare(with: found)
    if !difference.isEmpty || previous?.phase != .up || previous != state.asUp {
      hasStarted = true
      try lifecycle.save(state, over: previous)
      try lifecycle.store.write(hosts: hosts, of: state.document.name)
      try Timeline.phase("kernel") { try make(difference, to: found, in: &namespaces) }
    }
    return Lifecycle.UpReport(changes: difference.changes, unmanaged: found.unmanaged)
  }

  private mutating func make(
    _ difference: Difference, to found: Observation, in namespaces: inout OpenNamespaces
  ) throws {
    var (difference, found) = (difference, found)
    // One round does it, unless the kernel takes away something along with something else, or has not finished
    // taking it away: the next round sees that.
    for round in 1...5 {
      let plan = Timeline.phase("plan") { Plan(difference, from: found.blueprint, to: wanted) }
      if plan.isEmpty {
        return try Timeline.phase("wait until ready") { try waitUntilReady(namespaces) }
      }
      if round == 5 { break }
      try apply(plan, to: &namespaces, isCancellable: true)
      found = try lifecycle.observe(namespaces, of: state, wanted: wanted)
      difference = compare(with: found)
    }
    throw RunnerError(
      .kernel,
      "the kernel took every step, but the lab is not as it should be:\n"
        + difference.changes.map { "  \($0.summary)" }.joined(separator: "\n"),
      remedy: "If nothing else changes the lab's namespaces, this is a mistake of netlab's.")
  }

  private func waitUntilReady(_ namespaces: OpenNamespaces) throws {
    try namespaces.waitUntilReady(wanted)
    // A run that was killed may have started services, and not have waited for them.
    if let previous, previous.phase != .up {
      do {
        try programs.waitUntilReady(wanted.daemons, in: namespaces)
      } catch {
        try Task.checkCancellation()
        throw error
      }
    }
  }

  private func compare(with found: Observation) -> Difference {
    Timeline.phase("compare") { wanted.difference(from: found.blueprint) }
  }

  private mutating func apply(
    _ plan: Plan, to namespaces: inout OpenNamespaces, isCancellable: Bool
  ) throws {
    var applier = Applier(
      namespaces, mark: state.mark, supply: supply, faults: lifecycle.faults, isCancellable: isCancellable,
      programs: isCancellable ? programs : Programs(programs.folder), running: wanted)
    let failure: StepFailure?
    do throws(StepFailure) {
      try Timeline.phase("apply") { () throws(StepFailure) in try applier.apply(plan) }
      failure = nil
    } catch {
      failure = error
    }
    created += applier.created
    namespaces = applier.namespaces
    guard let failure else { return }
    guard failure.isOvertaken else { throw failure }
    lifecycle.logger.debug("looking again: \(failure.report)")
  }

  /// Makes everything be as it was before this run. The namespaces that it made go first: that needs nothing but them.
  mutating func undo(because reason: any Error) throws {
    do {
      let lab = state.document.name
      if previous == nil, hasStarted { try lifecycle.endPrograms(of: lab) }
      for name in created.reversed() { try lifecycle.unpin(name) }
      if hasStarted, let before, !before.namespaces.isEmpty { try restore(before) }
      if let previous {
        if hasStarted {
          try lifecycle.save(previous)
          try lifecycle.store.write(hosts: previous.document.resolved().hostsFile, of: lab)
        }
      } else {
        try lifecycle.forget(lab)
      }
    } catch {
      let words = (error as? StepFailure)?.report ?? "\(error)"
      throw RunnerError(
        .kernel, "\(reason)\nand it could not all be undone: \(words)",
        remedy: "`netlab up` again finishes it, `netlab down \(state.document.name)` removes everything.")
    }
  }

  private mutating func restore(_ before: Blueprint) throws {
    var namespaces = try lifecycle.open(state)
    var plan = Plan(from: before, to: before)
    for _ in 1...4 {
      plan = Plan(from: try lifecycle.observe(namespaces, of: state, wanted: wanted).blueprint, to: before)
      if plan.isEmpty { return }
      try apply(plan, to: &namespaces, isCancellable: false)
    }
    throw RunnerError(
      .kernel, "these steps are left:\n" + plan.commands.map { "  \($0)" }.joined(separator: "\n"))
  }

  private func foreignNamespace(_ name: String) -> RunnerError {
    RunnerError(
      .kernel, "the namespace \(name) exists, and it is not this lab's",
      remedy:
        "If `netlab clean` does not know it, remove it (ip netns delete \(name)), or give the lab another name."
    )
  }

  /// What stands where a link of the lab belongs is not removed for it.
  private func checkNames(_ unmanaged: [LabModel.Link]) throws {
    let names = Set(wanted.links.map { [$0.namespace, $0.name] })
    guard let link = unmanaged.first(where: { names.contains([$0.namespace, $0.name]) }) else { return }
    throw RunnerError(
      .kernel,
      "\(link.namespace) has a \(link.kind.word) \(link.name), which netlab did not make, in the lab's place",
      remedy: "Rename or remove it: ip -n \(link.namespace) link delete \(link.name)")
  }
}

extension LabState {
  /// The state as it is to be when everything is done.
  fileprivate var asUp: LabState {
    var state = self
    state.phase = .up
    return state
  }
}
