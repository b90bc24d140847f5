import Glibc
import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// Turns the steps of a plan into requests to the kernel, batched by namespace.
package struct Applier {
  package private(set) var namespaces: OpenNamespaces
  /// What marks a new namespace as the lab's, from before it gets its name.
  let mark: Mark
  let faults: Faults?
  /// Whether it stops when its task is cancelled.
  let isCancellable: Bool
  /// What runs in the nodes.
  private let programs: Programs?
  /// What has to be usable before something runs; `nil` when it is known to be.
  private var unready: Blueprint?
  /// Where new namespaces come from.
  private var supply: NamespaceSupply?
  /// The new namespaces, in the order of the plan, each with the settings that it gets first of all.
  private var expected: [(namespace: Namespace, settings: [LabModel.Sysctl])] = []
  private var expectedPositions: [String: Int] = [:]
  /// How many of the expected ones are made.
  private var made = 0

  /// The namespaces that this run made, for undoing it.
  package var created: [String] { expected[..<made].map(\.namespace.name) }

  /// Requests not sent yet, in the order in which their namespaces were first used. A namespace in which cables are
  /// made is used before the ones their other ends are in, because its bridges come first.
  private var pending: [Pending] = []
  private var positions: [String: Int] = [:]

  private struct Pending {
    let namespace: OpenNamespace
    /// Each with the steps that it holds.
    var batches: [(batch: Batch, steps: [any PlanStep])] = []
    var makesCables = false
  }

  /// How many steps are put to the kernel together. It can be interrupted in between.
  private var batchLimit: Int { faults == nil ? 128 : 1 }

  /// - Parameters:
  ///   - supply: new namespaces, if some are being made already.
  ///   - programs: what starts and stops programs, for plans with such steps.
  ///   - wanted: what has to be usable before a program is started.
  package init(
    _ namespaces: OpenNamespaces, mark: Mark, supply: NamespaceSupply? = nil, faults: Faults? = nil,
    isCancellable: Bool = false, programs: Programs? = nil, running wanted: Blueprint? = nil
  ) {
    self.programs = programs
    self.unready = wanted
    self.namespaces = namespaces
    self.mark = mark
    self.supply = supply
    self.faults = faults
    self.isCancellable = isCancellable
  }

  /// Comes before everything that changes something: the reason not to go on.
  private func interruption(_ operation: @autoclosure () -> String = "go on") -> NetlinkError? {
    let code = isCancellable && Task.isCancelled ? ECANCELED : faults?.next()
    return code.map { NetlinkError(operation: operation(), code: $0) }
  }

  /// Takes all steps; throws the first failure, with what was done before it still in place.
  package mutating func apply(_ plan: Plan) throws(StepFailure) {
    var isRemoving = false
    for list in plan.lists {
      // What takes the place of something removed may be made from another namespace.
      if isRemoving && !list.order.isRemoval { try flush() }
      isRemoving = list.order.isRemoval
      try list.execute(by: &self)
    }
    while made < expected.count { try makeNext() }
    try flush()
  }

  /// Notes that a namespace is to be made. It is made when a step needs it.
  mutating func expect(_ namespace: Namespace) {
    expectedPositions[namespace.name] = expected.count
    expected.append((namespace, []))
  }

  /// Writes settings: those of namespaces that are still to be made as the first thing in them.
  mutating func write(_ settings: [LabModel.Sysctl]) throws(StepFailure) {
    var present: [LabModel.Sysctl] = []
    for sysctl in settings {
      if let position = expectedPositions[sysctl.namespace], position >= made {
        expected[position].settings.append(sysctl)
      } else {
        present.append(sysctl)
      }
    }
    guard !present.isEmpty else { return }
    // A setting may be of a device that has only just got its name.
    try flush()
    try Timeline.phase("sysctls") { () throws(StepFailure) in try writeNow(present) }
  }

  /// Makes the namespaces up to one that a step needs. They come one after the other out of the supply; as long as it has
  /// none, what can be done without them is.
  private mutating func make(upTo name: String) throws(StepFailure) {
    guard made < expected.count, let position = expectedPositions[name] else { return }
    while made <= position {
      if faults == nil, supply?.isReady == false { try flush() }
      try makeNext()
    }
  }

  private mutating func makeNext() throws(StepFailure) {
    let (wanted, settings) = expected[made]
    try Timeline.phase("namespaces") { () throws(StepFailure) in
      do throws(NetlinkError) {
        try make(wanted)
      } catch {
        throw StepFailure(step: Namespace.Step.add(wanted), error: error)
      }
    }
    made += 1
    if settings.isEmpty { return }
    try Timeline.phase("sysctls") { () throws(StepFailure) in try writeNow(settings) }
  }

  private mutating func make(_ wanted: Namespace) throws(NetlinkError) {
    if made == 0 { try NetworkNamespace.prepareDirectory() }
    if supply.map({ $0.count == 0 }) ?? true { supply = try NamespaceSupply(expected.count - made) }
    let path = OpenNamespace.path(of: wanted.name)
    try supply?.take(markedBy: mark.alias) { namespace, connection throws(NetlinkError) in
      if let error = interruption("pin namespace at \(path)") { throw error }
      do throws(NetlinkError) {
        try namespace.pin(at: path)
      } catch {
        // The empty file that a crash between making and mounting left behind.
        guard error.code == EEXIST, Files.isEmptyFile(path) else { throw error }
        try NetworkNamespace.unpin(path: path)
        try namespace.pin(at: path)
      }
      namespaces.add(OpenNamespace(name: wanted.name, namespace: namespace, connection: connection))
    }
  }

  private func writeNow(_ settings: [LabModel.Sysctl]) throws(StepFailure) {
    // In the order of the plan.
    var groups: [(namespace: String, settings: [LabModel.Sysctl])] = []
    for sysctl in settings {
      if faults == nil, groups.last?.namespace == sysctl.namespace {
        groups[groups.count - 1].settings.append(sysctl)
      } else {
        groups.append((sysctl.namespace, [sysctl]))
      }
    }
    for (name, group) in groups {
      guard let namespace = namespaces[name] else { continue }
      if let error = interruption("write sysctl") {
        throw StepFailure(step: LabModel.Sysctl.Step(sysctl: group[0]), error: error)
      }
      let outcomes: [NetlinkError?]
      do throws(NetlinkError) {
        outcomes = try namespace.namespace.write(
          group.map { Netlink.Sysctl($0.path, $0.value) }, through: namespace.sysctlView)
      } catch {
        throw StepFailure(step: LabModel.Sysctl.Step(sysctl: group[0]), error: error)
      }
      // A kernel without IPv6 has none of its settings, and nothing that could be switched off.
      for (sysctl, error) in zip(group, outcomes) {
        if let error, !(error.code == ENOENT && sysctl.key.hasPrefix("net.ipv6.")) {
          throw StepFailure(step: LabModel.Sysctl.Step(sysctl: sysctl), error: error)
        }
      }
    }
  }

  /// Does something in a namespace that is no request of a batch.
  mutating func perform(
    _ step: any PlanStep, _ operation: @autoclosure () -> String,
    _ body: (OpenNamespace) throws(NetlinkError) -> Void
  ) throws(StepFailure) {
    try flush()
    guard let namespace = namespaces[step.namespace] else { return }
    do throws(NetlinkError) {
      if let error = interruption(operation()) { throw error }
      try body(namespace)
    } catch {
      throw StepFailure(step: step, error: error)
    }
  }

  /// Starts or stops something that runs in a node.
  mutating func run(
    _ step: any PlanStep, _ body: (Programs, OpenNamespace?) throws(RunnerError) -> Void
  ) throws(StepFailure) {
    while made < expected.count { try makeNext() }
    try flush()
    guard let programs else { return }
    if let error = interruption(step.commands.first ?? "stop a program") {
      throw StepFailure(step: step, error: error)
    }
    do {
      let namespace = namespaces[step.namespace]
      if let wanted = unready, namespace != nil {
        try namespaces.waitUntilReady(wanted)
        unready = nil
      }
      try body(programs, namespace)
    } catch {
      if isCancellable && Task.isCancelled {
        throw StepFailure(step: step, error: NetlinkError(operation: "go on", code: ECANCELED))
      }
      throw StepFailure(step: step, problem: "\(error)")
    }
  }

  /// Takes a namespace's name away, and with its last user all that is in it.
  mutating func unpin(_ namespace: Namespace) throws(StepFailure) {
    try flush()
    do throws(NetlinkError) {
      if let error = interruption("unpin namespace \(namespace.name)") { throw error }
      try NetworkNamespace.unpin(path: OpenNamespace.path(of: namespace.name))
    } catch {
      throw StepFailure(step: Namespace.Step.delete(namespace), error: error)
    }
    namespaces.remove(namespace.name)
  }

  /// Puts a request in its namespace's batch.
  mutating func enqueue(_ step: some RequestStep) throws(StepFailure) {
    try make(upTo: step.namespace)
    if let other = step.otherNamespace { try make(upTo: other) }
    guard let namespace = namespaces[step.namespace] else {
      throw StepFailure(step: step, problem: "there is no namespace \(step.namespace)")
    }
    let position =
      positions[step.namespace]
      ?? {
        pending.append(Pending(namespace: namespace))
        positions[step.namespace] = pending.count - 1
        return pending.count - 1
      }()
    if pending[position].batches.last.map({ $0.steps.count >= batchLimit }) ?? true {
      pending[position].batches.append((Batch(), []))
    }
    if step.otherNamespace != nil { pending[position].makesCables = true }
    let last = pending[position].batches.count - 1
    let target = RequestTarget(namespace: namespace, others: namespaces, step: step)
    try step.append(to: &pending[position].batches[last].batch, in: target)
    pending[position].batches[last].steps.append(step)
  }

  private mutating func flush() throws(StepFailure) {
    defer {
      pending = []
      positions = [:]
    }
    for request in pending {
      try Timeline.phase(
        request.makesCables ? "hosts: links, marks, tags" : "VMs: cable ends, addresses, routes"
      ) {
        () throws(StepFailure) in try perform(request)
      }
    }
  }

  private func perform(_ request: Pending) throws(StepFailure) {
    for (batch, steps) in request.batches {
      let outcomes: [NetlinkError?]
      do throws(NetlinkError) {
        if let error = interruption(batch.operation(of: 0)) { throw error }
        outcomes = try request.namespace.connection.perform(batch)
      } catch {
        throw StepFailure(step: steps[0], error: error)
      }
      for (step, error) in zip(steps, outcomes) {
        if let error { throw StepFailure(step: step, error: error) }
      }
    }
  }
}
