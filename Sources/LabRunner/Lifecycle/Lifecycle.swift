internal import Glibc
public import LabKit
public import Logging
internal import Netlink

/// Brings labs up and down, and finds how a running one differs from what it should be.
///
/// Synchronous, on the calling thread: nothing here suspends.
public struct Lifecycle: Sendable {
  public let store: LabStore
  let logger: Logger
  /// Called when another netlab holds the lab's lock, with the lab's name.
  public var waiting: @Sendable (String) -> Void = { _ in }

  public init(store: LabStore = LabStore(), logger: Logger = Logger(label: "netlab")) {
    self.store = store
    self.logger = logger
  }

  /// What `up` did.
  public struct UpReport: Sendable {
    /// What differed before, and was changed; empty when there was nothing to do.
    public var changes: [Change]
    /// Devices in the lab's namespaces that netlab did not make; left alone.
    public var unmanaged: [LabKit.Link]
  }

  /// How a lab differs from what it should be.
  public struct Status: Sendable {
    public var state: LabState
    public var changes: [Change]
    public var unmanaged: [LabKit.Link]
    public var plan: Plan
  }

  /// Makes the kernel be as the lab says, from whatever state it is in.
  public func up(_ document: LabDocument, labFile: String) throws -> UpReport {
    let lab = try document.resolved()
    raiseDescriptorLimit()
    let lock = try store.lock(lab.name, waiting: { waiting(lab.name) })
    defer { _ = lock }
    let wanted = lab.blueprint()
    let previous = try store.state(of: lab.name)
    var state = LabState(
      phase: .comingUp, document: document, labFile: labFile,
      token: previous?.token ?? Self.newToken(),
      namespaces: wanted.namespaces.map(\.name))
    // What an earlier version of the lab had and this one has not is still to be removed.
    state.namespaces += (previous?.namespaces ?? []).filter { !Set(state.namespaces).contains($0) }
    var namespaces = try open(state)
    if let name = namespaces.foreign.first {
      if previous == nil { try? store.remove(lab.name) }
      throw RunnerError(
        .kernel, "the namespace \(name) exists, and netlab did not make it",
        remedy: "Remove it (ip netns delete \(name)), or give the lab another name.")
    }
    try store.save(state)
    var report = UpReport(changes: [], unmanaged: [])
    do {
      // The second round sees what went with a deleted link; the third would only see the kernel refuse to converge.
      for round in 1...3 {
        let (changes, unmanaged) = try difference(wanted, namespaces, lab: lab.name)
        logger.debug("round \(round): \(changes.count) changes")
        if round == 1 { report = UpReport(changes: changes, unmanaged: unmanaged) }
        if changes.isEmpty {
          try namespaces.waitUntilReady(wanted)
          state.phase = .up
          state.namespaces = wanted.namespaces.map(\.name)
          try store.save(state)
          return report
        }
        guard round < 3 else { throw notConverged(changes) }
        var applier = Applier(namespaces, mark: state.mark)
        do throws(StepFailure) {
          try applier.apply(Plan(changes))
        } catch {
          logger.debug("undoing: \(applier.created.count) namespaces were made")
          undo(applier.created)
          throw RunnerError(.kernel, error.report, remedy: remedy(for: error))
        }
        namespaces = applier.namespaces
      }
      throw notConverged([])
    } catch {
      if previous == nil { try? store.remove(lab.name) }
      throw error
    }
  }

  /// What `up` would do, without doing it.
  public func plan(_ document: LabDocument) throws -> Plan {
    let lab = try document.resolved()
    let wanted = lab.blueprint()
    guard let state = try store.state(of: lab.name) else {
      return Plan(wanted.difference(from: Blueprint()))
    }
    return Plan(try difference(wanted, open(state), lab: lab.name).changes)
  }

  /// Removes a running lab. What is not the lab's own is left alone.
  ///
  /// - Returns: names of the lab's that belong to somebody else's namespaces.
  @discardableResult
  public func down(_ lab: String) throws -> [String] {
    guard try store.state(of: lab) != nil else { throw try notRunning(lab) }
    let lock = try store.lock(lab, waiting: { waiting(lab) })
    defer { _ = lock }
    // Another netlab may have been faster.
    guard var state = try store.state(of: lab) else {
      try store.remove(lab)
      return []
    }
    raiseDescriptorLimit()
    state.phase = .goingDown
    try store.save(state)
    let namespaces = try open(state)
    for name in state.namespaces {
      let path = OpenNamespace.path(of: name)
      if namespaces[name] != nil || Files.isEmptyFile(path) { try NetworkNamespace.unpin(path: path) }
    }
    try store.remove(lab)
    return namespaces.foreign
  }

  /// Compares a running lab with what it should be.
  public func status(_ lab: String) throws -> Status {
    let state = try state(of: lab)
    raiseDescriptorLimit()
    let resolved = try state.document.resolved()
    let (changes, unmanaged) = try difference(resolved.blueprint(), open(state), lab: lab)
    return Status(state: state, changes: changes, unmanaged: unmanaged, plan: Plan(changes))
  }

  /// A running lab, as it was resolved when it came up.
  public func runningLab(_ name: String) throws -> ResolvedLab {
    let state = try state(of: name)
    return try state.document.resolved()
  }

  /// What is remembered of a running lab.
  public func state(of lab: String) throws -> LabState {
    guard let state = try store.state(of: lab) else { throw try notRunning(lab) }
    return state
  }

  /// The path of a node's namespace in a running lab, for entering it.
  public func namespacePath(of node: String, in lab: String) throws -> String {
    let state = try state(of: lab)
    let nodes = state.namespaces.map { String($0.dropFirst(lab.count + 1)) }
    guard nodes.contains(node) else {
      throw RunnerError(
        .usage, "the lab '\(lab)' has no node '\(node.terminalSafe)'",
        remedy: nearest(to: node, in: nodes).map { "Did you mean '\($0)'?" }
          ?? "It has \(nodes.joined(separator: ", ")).")
    }
    guard try open(state)["\(lab).\(node)"] != nil else {
      throw RunnerError(
        .kernel, "the namespace \(lab).\(node) is not there any more",
        remedy: "`netlab up \(lab)` makes it again.")
    }
    return OpenNamespace.path(of: "\(lab).\(node)")
  }

  private func open(_ state: LabState) throws -> OpenNamespaces {
    try OpenNamespaces(named: state.namespaces, markedBy: state.mark)
  }

  private func difference(
    _ wanted: Blueprint, _ namespaces: OpenNamespaces, lab: String
  ) throws -> (changes: [Change], unmanaged: [LabKit.Link]) {
    var observer = Observer(namespaces)
    let observed = try observer.observe(comparedWith: wanted, lab: lab)
    return (wanted.difference(from: observed), observer.unmanaged)
  }

  /// Removes the namespaces that a failed run made, newest first, and with them all that is in them.
  private func undo(_ created: [String]) {
    for name in created.reversed() {
      try? NetworkNamespace.unpin(path: OpenNamespace.path(of: name))
    }
  }

  private func notConverged(_ changes: [Change]) -> RunnerError {
    RunnerError(
      .kernel,
      "the kernel took every step, but the lab is not as it should be:\n"
        + changes.map { "  \($0.summary)" }.joined(separator: "\n"),
      remedy: "If nothing else changes the lab's namespaces, this is a mistake of netlab's.")
  }

  private func remedy(for failure: StepFailure) -> String? {
    switch failure.error?.codeName {
    case "EPERM": "Run it as root (sudo netlab …)."
    case "EOPNOTSUPP":
      "This kernel lacks a feature: `netlab doctor` shows which; `--kernel sandbox` has them all."
    case "EMFILE": "Raise the limit of open files: ulimit -n."
    default: nil
    }
  }

  private func notRunning(_ lab: String) throws -> RunnerError {
    let labs = try store.labs()
    let hint = nearest(to: lab, in: labs).map { "Did you mean '\($0)'?" }
    return RunnerError(
      .usage, "the lab '\(lab.terminalSafe)' is not running",
      remedy: hint
        ?? (labs.isEmpty
          ? "No lab is: `netlab up FILE` brings one up." : "Running: \(labs.joined(separator: ", "))"))
  }

  private static func newToken() -> String {
    String(UInt64.random(in: .min ... .max), radix: 16)
  }
}

extension Change {
  /// One line for people: what is wrong with what.
  public var summary: String {
    let place = "in \(resource.namespace)"
    switch self {
    case .create(.namespace(let namespace)): return "missing: namespace \(namespace.name)"
    case .delete(.namespace(let namespace)): return "unexpected: namespace \(namespace.name)"
    case .create(let resource): return "missing: \(resource) \(place)"
    case .delete(let resource): return "unexpected: \(resource) \(place)"
    case .update(let resource, _, let differences):
      let details = differences.map { "\($0.attribute) is \($0.observed), should be \($0.wanted)" }
      return "changed: \(resource) \(place): \(details.joined(separator: "; "))"
    }
  }
}
