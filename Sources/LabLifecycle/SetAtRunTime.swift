import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import SystemPackage
import Values

/// What can be done to the link of a port.
package enum LinkAction: String, CaseIterable, Sendable {
  case down, up
  /// Down, and up again: what is plugged in there loses its carrier for a moment.
  case flap
}

extension Lifecycle {
  /// Impairs a port of a running lab until the next `up`.
  ///
  /// - Parameters:
  ///   - port: `VM`, for its first port, or `VM:DEVICE`.
  ///   - impairment: what replaces the port's own; `nil`: back to what the lab says.
  /// - Returns: the commands that do it.
  @discardableResult
  package func impair(_ lab: String, port: String, by impairment: Impairment?) throws -> [String] {
    if let problem = impairment?.problems.first {
      throw RunnerError(.usage, problem.message, remedy: problem.fix)
    }
    var run = try RuntimeRun(self, lab, port)
    let (before, device) = (run.settings, run.device)
    let wanted = run.wanted.qdiscs.filter(run.isOnDevice)
    let new = impairment.map { impairment in
      Qdisc.Discipline(impairment, mtu: run.port.mtu).map {
        [Qdisc(namespace: device.namespace, device: device.name, discipline: $0)]
      } ?? []
    }
    return try run.change(\.impaired, undoing: before, needing: new ?? wanted) { run in
      let commands = try run.apply { observed in
        observed.qdiscs.removeAll(where: run.isOnDevice)
        observed.qdiscs += new ?? wanted
        // Another kind that somebody put there.
        observed.entries.removeAll {
          $0.table == .qdisc && $0.namespace == device.namespace && $0.device == device.name
            && $0.words.contains(" root ")
        }
      }
      if new == nil { try run.forget(\.impaired) }
      return commands
    }
  }

  /// Takes the link of a VM's port down until the next `up`, or up again with all that went with it.
  ///
  /// - Parameter port: `VM`, for its first port, or `VM:DEVICE`.
  /// - Returns: the commands that do it.
  @discardableResult
  package func setLink(_ lab: String, port: String, _ action: LinkAction) throws -> [String] {
    var run = try RuntimeRun(self, lab, port)
    let device = run.device
    return try run.change(\.down) { run in
      var commands: [String] = []
      if action != .up {
        commands += try run.apply { observed in
          for index in observed.links.indices
          where observed.links[index].namespace == device.namespace
            && observed.links[index].name == device.name
          {
            observed.links[index].isUp = false
          }
        }
      }
      if action != .down {
        commands += try run.bringUp()
        try run.forget(\.down)
      }
      return commands
    }
  }
}

/// One change of a port at run time. It holds the lab's lock.
private struct RuntimeRun {
  let lifecycle: Lifecycle
  let state: LabState
  let port: ResolvedPort
  let device: RuntimeSettings.Device
  let wanted: Blueprint
  private(set) var settings: RuntimeSettings
  private let namespaces: OpenNamespaces
  private let lock: LabLock

  init(_ lifecycle: Lifecycle, _ lab: String, _ place: String) throws {
    guard lifecycle.store.hasTraces(of: lab) else { throw try lifecycle.notRunning(lab) }
    lock = try lifecycle.store.lock(lab, waiting: { lifecycle.waiting(lab) })
    self.lifecycle = lifecycle
    state = try lifecycle.state(of: lab)
    guard state.phase == .up else {
      throw RunnerError(
        .usage, "the lab '\(lab)' is not up to the end", remedy: "`netlab up \(lab)` finishes it.")
    }
    let resolved = try state.document.resolved()
    let parts = place.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (vm, found) = try resolved.port(parts[0], parts.count > 1 ? parts[1] : nil)
    port = found
    device = RuntimeSettings.Device(namespace: resolved.namespace(of: vm), name: found.device)
    wanted = resolved.blueprint().marked(state.mark)
    settings = lifecycle.store.runtimeSettings(of: lab)
    // All of them: what a link is plugged into is in another one.
    namespaces = try lifecycle.open(state)
    guard namespaces[device.namespace] != nil else {
      throw RunnerError(
        .kernel, "the namespace \(device.namespace) is not there any more",
        remedy: "`netlab up \(lab)` makes it again.")
    }
  }

  func isOnDevice(_ qdisc: LabModel.Qdisc) -> Bool {
    qdisc.namespace == device.namespace && qdisc.device == device.name
  }

  /// Notes that the device may be set in some way from now on, and does it.
  ///
  /// - Parameter before: what is noted again when that fails; `nil` where something may be done by then.
  mutating func change(
    _ kind: WritableKeyPath<RuntimeSettings, Set<RuntimeSettings.Device>>,
    undoing before: RuntimeSettings? = nil,
    needing new: [LabModel.Qdisc] = [], _ body: (inout RuntimeRun) throws -> [String]
  ) throws -> [String] {
    if settings[keyPath: kind].insert(device).inserted { try save() }
    do {
      return try body(&self)
    } catch {
      if let before {
        settings = before
        try? save()
      }
      var needed = Blueprint()
      needed.qdiscs = new
      throw lifecycle.explained(error, needing: needed, keepingWreck: before == nil)
    }
  }

  /// Notes that the device is as the lab says.
  mutating func forget(_ kind: WritableKeyPath<RuntimeSettings, Set<RuntimeSettings.Device>>) throws {
    settings[keyPath: kind].remove(device)
    try save()
  }

  private func save() throws {
    if let code = lifecycle.faults?.next() {
      throw FileError("write what is set at run time", Errno(rawValue: code))
    }
    try lifecycle.store.save(settings, of: state.document.name)
  }

  /// Changes something of what the lab's namespaces hold.
  func apply(_ change: (inout Blueprint) -> Void) throws -> [String] {
    let observed = try lifecycle.observe(namespaces, of: state, wanted: wanted).blueprint
    guard observed.links.contains(where: { $0.name == device.name && $0.namespace == device.namespace })
    else {
      throw RunnerError(
        .kernel, "there is no link \(device.name) in \(device.namespace)",
        remedy: "`netlab up \(state.document.name)` makes it again.")
    }
    var changed = observed
    change(&changed)
    let plan = Plan(from: observed, to: changed)
    var applier = Applier(namespaces, mark: state.mark, faults: lifecycle.faults)
    try applier.apply(plan)
    return plan.commands
  }

  /// Brings the device up, with all that it lost by being down.
  func bringUp() throws -> [String] {
    let only = RuntimeSettings(down: [device])
    var commands: [String] = []
    // The first round brings the link up, the next ones bring back what then can be there.
    for _ in 0..<4 {
      let more = try apply { observed in
        let changes = wanted.difference(from: observed).changes.filter { only.cover($0, in: wanted) }
        observed = observed.making(changes)
      }
      if more.isEmpty { break }
      commands += more
    }
    var ready = Blueprint()
    ready.links = wanted.links.filter { $0.namespace == device.namespace && $0.name == device.name }
    ready.addresses = wanted.addresses.filter { $0.namespace == device.namespace && $0.device == device.name }
    try namespaces.waitUntilReady(ready)
    return commands
  }
}

extension ResolvedLab {
  /// The port that a person names: of a VM, and by its device where it is not the first one.
  fileprivate func port(_ name: String, _ device: String?) throws -> (vm: String, port: ResolvedPort) {
    guard let vm = vm(name) else {
      let names = vms.map(\.name)
      throw RunnerError(
        .usage, "the lab '\(self.name)' has no VM '\(name.terminalSafe)'",
        remedy: didYouMean(name, among: names)
          ?? "It has \(names.joined(separator: ", ")).")
    }
    let devices = vm.allPorts.map(\.device)
    guard let port = vm.allPorts.first(where: { device == nil || $0.device == device }) else {
      throw RunnerError(
        .usage,
        device.map { "VM '\(name)' has no port \($0.terminalSafe)" } ?? "VM '\(name)' has no port",
        remedy: devices.isEmpty ? nil : "It has \(devices.joined(separator: ", ")).")
    }
    return (vm.name, port)
  }
}
