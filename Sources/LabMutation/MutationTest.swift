import LabChecks
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Finds out what a lab's checks prove: breaks one attribute of the running lab at a time, and sees whether one notices.
package struct MutationTest: Sendable {
  let lifecycle: Lifecycle
  let labFile: String
  let lab: ResolvedLab
  let processes: ProcessRunner

  /// What became of one mutation.
  package struct Result: Sendable {
    package var mutation: Mutation
    /// The commands that make it.
    package var commands: [String]
    /// The first check that noticed; `nil` when none did: a hole in the lab's checks.
    package var noticedBy: Check?
    package var duration: Duration
  }

  /// - Parameter lab: one that is up, with checks that all hold.
  package init(
    _ lab: ResolvedLab, labFile: String, lifecycle: Lifecycle, processes: ProcessRunner = ProcessRunner()
  ) {
    self.lifecycle = lifecycle
    self.labFile = labFile
    self.lab = lab
    self.processes = processes
  }

  /// Makes each mutation, runs checks until one notices, and repairs the lab.
  ///
  /// - Parameter report: called after each mutation.
  /// - Throws: when the lab cannot be repaired, and when a check does not hold again after the repair.
  package func run(_ mutations: [Mutation], report: (Result) -> Void) async throws -> [Result] {
    let directory = try lifecycle.store.makeWorkDirectory(of: lab.name)
    defer { try? Files.remove(directory) }
    let runner = CheckRunner(lab: lab, processes: processes, captureDirectory: directory)
    var results: [Result] = []
    for mutation in mutations {
      let start = ContinuousClock.now
      let (commands, before) = try apply(mutation)
      let noticed: Check?
      do {
        noticed = try await firstToNotice(mutation, runner)
      } catch {
        try? repair(to: before)
        throw error
      }
      try repair(to: before)
      if let noticed { try await requireHolds(noticed, after: mutation, runner) }
      let result = Result(
        mutation: mutation, commands: commands, noticedBy: noticed, duration: ContinuousClock.now - start)
      results.append(result)
      report(result)
    }
    return results
  }

  /// Makes the kernel differ from the lab in what the mutation says.
  ///
  /// - Returns: the commands that do it, and the lab with all options that its bridges had.
  private func apply(_ mutation: Mutation) throws -> (commands: [String], before: Blueprint) {
    let state = try lifecycle.state(of: lab.name)
    var before = lab.blueprint().marked(state.mark)
    let observed = try lifecycle.observe(lifecycle.open(state), of: state, wanted: before).blueprint
    let kinds = Dictionary(
      observed.links.map { ([$0.namespace, $0.name], $0.kind) }, uniquingKeysWith: { first, _ in first })
    for index in before.links.indices {
      let link = before.links[index]
      // A lab leaves options open that a mutation changes.
      if link.kind is Bridge, let kind = kinds[[link.namespace, link.name]] {
        before.links[index].kind = kind
      }
    }
    do {
      let commands = try change(to: mutation.blueprint.marked(state.mark))
      // What was learned before would hide a change, or outlive it.
      try forget()
      return (commands, before)
    } catch {
      try? repair(to: before)
      throw error
    }
  }

  /// Makes the kernel be as a blueprint says, in one round.
  @discardableResult
  private func change(to wanted: Blueprint) throws -> [String] {
    let state = try lifecycle.state(of: lab.name)
    let namespaces = try lifecycle.open(state)
    let plan = Plan(
      from: try lifecycle.observe(namespaces, of: state, wanted: wanted).blueprint, to: wanted)
    var applier = Applier(namespaces, mark: state.mark)
    do throws(StepFailure) {
      try applier.apply(plan)
    } catch {
      throw RunnerError(.kernel, "cannot change the lab: \(error.report)")
    }
    return plan.commands
  }

  /// Undoes a mutation, and what went with it, in place.
  private func repair(to before: Blueprint) throws {
    try change(to: before)
    _ = try lifecycle.up(lab, labFile: labFile)
    try forget()
  }

  /// Empties neighbour tables and forwarding tables, as they are in a lab that has just come up.
  private func forget() throws {
    let namespaces = try lifecycle.open(lifecycle.state(of: lab.name))
    for namespace in namespaces.byName.values {
      let connection = namespace.connection
      var batch = Batch()
      for neighbour in try connection.neighbours()
      where neighbour.state.isDisjoint(with: [.permanent, .noARP]) {
        batch.deleteNeighbour(neighbour)
      }
      for link in try connection.links(ofKind: "bridge") {
        batch.flushForwardingEntries(ofBridge: link.index)
      }
      // An entry may have gone by itself meanwhile.
      _ = try connection.perform(batch)
    }
  }

  /// Runs independent checks side by side and then the others, those about the mutated VM first, until one fails.
  private func firstToNotice(_ mutation: Mutation, _ runner: CheckRunner) async throws -> Check? {
    let checks = lab.checks.sorted { mutation.concerns($0) && !mutation.concerns($1) }
    let independent = checks.filter { !$0.value.isExclusive }
    for group in [independent.filter(mutation.concerns), independent.filter { !mutation.concerns($0) }] {
      if let check = try await firstToFail(group, runner) { return check }
    }
    for check in checks where check.value.isExclusive {
      if try await runner.result(of: check).failure != nil { return check }
    }
    return nil
  }

  private func firstToFail(_ checks: [Check], _ runner: CheckRunner) async throws -> Check? {
    try await withThrowingTaskGroup(of: Check?.self) { group in
      var waiting = checks[...]
      func addNext() {
        guard let check = waiting.popFirst() else { return }
        group.addTask { try await runner.result(of: check).failure == nil ? nil : check }
      }
      for _ in 0..<4 { addNext() }
      while let ended = try await group.next() {
        if let check = ended {
          group.cancelAll()
          return check
        }
        addNext()
      }
      return nil
    }
  }

  /// A check that fails without the mutation, too, proves nothing.
  private func requireHolds(_ check: Check, after mutation: Mutation, _ runner: CheckRunner) async throws {
    guard let problem = try await runner.result(of: check).problem else { return }
    throw RunnerError(
      .kernel,
      "\(check.value.title) does not hold again after \(mutation.title) was repaired: \(problem.seen)",
      remedy: "The check may depend on chance, or `netlab up` did not repair it.")
  }
}

extension Mutation {
  /// Whether a check is about the VM that the mutation is about.
  func concerns(_ check: Check) -> Bool {
    guard let vm else { return true }
    let references = check.value.references
    return references.vms.contains(vm) || references.paths.contains { $0.from == vm || $0.to.name == vm }
      || references.points.contains { $0.node == vm } || references.nested.contains(where: concerns)
  }
}
