import LabKeeper
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Logging
import Netlink
import Values

/// Brings labs up and down, and finds how a running one differs from what it should be.
///
/// Synchronous, on the calling thread: nothing here suspends.
package struct Lifecycle: Sendable {
  package let store: LabStore
  let logger: Logger
  /// Called when another netlab holds the lab's lock, with the lab's name.
  package var waiting: @Sendable (String) -> Void = { _ in }
  /// Called with something that a person should know before it happens.
  package var warning: @Sendable (String) -> Void = { _ in }
  /// What is to go wrong, in a test.
  package var faults: Faults?

  package init(store: LabStore = LabStore(), logger: Logger = Logger(label: "netlab")) {
    self.store = store
    self.logger = logger
  }

  /// How a lab differs from what it should be.
  package struct Status: Sendable {
    package var state: LabState
    package var changes: [Change]
    /// What was set at run time, which is no drift: `eth0 in two-vms.focal-1 is down`.
    package var runtime: [String] = []
    /// Devices in the lab's namespaces that netlab did not make.
    package var unmanaged: [LabModel.Link]
    /// Namespaces under the lab's names that netlab did not make.
    package var foreign: [String]
    package var plan: Plan
  }

  /// What `up` would do, without doing it.
  package func plan(_ lab: ResolvedLab) throws -> Plan {
    guard var state = try store.state(of: lab.name) else {
      return Plan(from: Blueprint(), to: lab.blueprint())
    }
    state.replaceDocument(with: lab.document)
    let wanted = lab.blueprint().marked(state.mark)
    state.addNamespaces(of: wanted)
    return Plan(from: try observe(open(state), of: state, wanted: wanted).blueprint, to: wanted)
  }

  /// Compares a running lab with what it should be: what it was brought up as, or another version of it.
  package func status(_ lab: String, as document: LabDocument? = nil) throws -> Status {
    var state = try state(of: lab)
    if let document { state.replaceDocument(with: document) }
    let wanted = try state.document.resolved().blueprint().marked(state.mark)
    state.addNamespaces(of: wanted)
    let namespaces = try open(state)
    let found = try observe(namespaces, of: state, wanted: wanted)
    let difference = wanted.difference(from: found.blueprint)
    let settings = store.runtimeSettings(of: lab)
    let changes = difference.changes
    let runtime = settings.isEmpty ? [] : changes.filter { settings.cover($0, in: wanted) }
    return Status(
      state: state, changes: runtime.isEmpty ? changes : changes.filter { !settings.cover($0, in: wanted) },
      runtime: runtime.compactMap(\.runtimeText), unmanaged: found.unmanaged, foreign: namespaces.foreign,
      plan: Plan(difference, from: found.blueprint, to: wanted))
  }

  /// What is remembered of a running lab.
  package func state(of lab: String) throws -> LabState {
    guard let state = try store.state(of: lab) else { throw try notRunning(lab) }
    return state
  }

  /// Where a person's command runs in a node of a running lab: among the lab's processes, so that `down` finds what it
  /// leaves behind.
  package func place(of node: String, in lab: String) throws -> NodePlace {
    let state = try state(of: lab)
    let (namespace, folder) = (try namespacePath(of: node, state), store.folder(of: lab))
    let vm = state.document.nodes.first { $0.name == node }?.declaration as? VM
    var place = NodePlace(namespace: namespace, etc: folder.etc, hostname: vm?.hostname ?? node)
    do {
      _ = try LabKeeper(startedAt: folder.keeper)
      place.keeper = folder.keeper
    } catch {
      warning("what this command leaves running will not be found, because nothing keeps it: \(error)")
    }
    return place
  }

  /// The path of a node's namespace in a running lab.
  package func namespacePath(of node: String, in lab: String) throws -> String {
    try namespacePath(of: node, state(of: lab))
  }

  private func namespacePath(of node: String, _ state: LabState) throws -> String {
    let lab = state.document.name
    let nodes = state.namespaces.map { String($0.dropFirst(lab.count + 1)) }
    guard nodes.contains(node) else {
      throw RunnerError(
        .usage, "the lab '\(lab)' has no node '\(node.terminalSafe)'",
        remedy: didYouMean(node, among: nodes)
          ?? "It has \(nodes.joined(separator: ", ")).")
    }
    let name = "\(lab).\(node)"
    guard try OpenNamespaces(named: [name], markedBy: state.mark)[name] != nil else {
      throw RunnerError(
        .kernel, "the namespace \(name) is not there any more", remedy: "`netlab up \(lab)` makes it again.")
    }
    return OpenNamespace.path(of: name)
  }

  /// Opens the namespaces of a lab.
  ///
  /// - Parameters:
  ///   - names: those that are needed; `nil`: all.
  ///   - aspects: what will be read of them.
  package func open(
    _ state: LabState, only names: [String]? = nil, toRead aspects: KernelState.Aspects = []
  ) throws -> OpenNamespaces {
    let names = names ?? state.namespaces
    try DescriptorLimit.raise(toFit: names.count)
    return try Timeline.phase("open") {
      try OpenNamespaces(named: names, markedBy: state.mark, toRead: aspects)
    }
  }

  /// Reads what a lab has an opinion of.
  ///
  /// - Parameter more: what else is read with it.
  package func observe(
    _ namespaces: OpenNamespaces, of state: LabState, wanted: Blueprint,
    reading more: KernelState.Aspects = []
  ) throws -> Observation {
    let expectation = try Expectation(wanted, of: state)
    return try Timeline.phase("observe") {
      var kernel = try KernelState(namespaces, reading: more)
      try kernel.read(.blueprint.union(more), settings: expectation.settingPaths, in: namespaces)
      namespaces.learn(kernel, expectation.ownership)
      var observation = expectation.observation(of: kernel)
      try observePrograms(namespaces, of: state, wanted: wanted, into: &observation.blueprint)
      return observation
    }
  }

  /// Adds what runs in the nodes, and what was done in them. Where nothing ever was to run, nothing is looked for.
  private func observePrograms(
    _ namespaces: OpenNamespaces, of state: LabState, wanted: Blueprint, into observed: inout Blueprint
  ) throws {
    let lab = state.document.name
    let folder = store.folder(of: lab)
    if !wanted.daemons.isEmpty || state.earlier.contains(where: { !$0.services.isEmpty }) {
      observed.daemons = try Daemon.observe(in: folder, lab: lab, namespaces)
    }
    let setups = wanted[Setup.self]
    if !setups.isEmpty { observed[Setup.self] = Setup.observe(setups, in: folder, namespaces) }
  }

  func notRunning(_ lab: String) throws -> RunnerError {
    let labs = try store.labs()
    if try store.isElsewhere(lab) {
      return RunnerError(
        .environment, "the lab '\(lab)' is not yours: another user, probably root, brought it up",
        remedy: "Look at it as that user: sudo netlab … \(lab)")
    }
    let hint = didYouMean(lab, among: labs)
    return RunnerError(
      .usage, "the lab '\(lab.terminalSafe)' is not running",
      remedy: hint
        ?? (labs.isEmpty
          ? "No lab is: `netlab up FILE` brings one up." : "Running: \(labs.joined(separator: ", "))"))
  }
}

extension Blueprint {
  /// The blueprint with the mark that the lab's namespaces carry.
  package func marked(_ mark: Mark) -> Blueprint {
    var blueprint = self
    for index in links.indices where links[index].kind is Loopback {
      blueprint.links[index].alias = mark.alias
      blueprint.links[index].altnames = [mark.altname]
    }
    return blueprint
  }
}
