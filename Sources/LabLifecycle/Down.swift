import LabKeeper
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import SystemPackage
import Values

extension Lifecycle {
  /// Removes a running lab. What is not the lab's own is left alone; a device that somebody put into one of its
  /// namespaces goes with that, after a warning.
  ///
  /// - Returns: names of the lab's that belong to somebody else's namespaces.
  @discardableResult
  package func down(_ lab: String) throws -> [String] {
    guard store.hasTraces(of: lab) else { throw try notRunning(lab) }
    let lock = try store.lock(lab, waiting: { waiting(lab) })
    defer { extendLifetime(lock) }
    guard let state = try store.state(of: lab) else {
      // Another netlab was faster, or one ended before it did anything.
      try forget(lab)
      return []
    }
    let namespaces = try open(state)
    for link in foreignLinks(in: namespaces, of: state) {
      warning("\(link.name) in \(link.namespace), which netlab did not make, goes with the lab")
    }
    var leaving = state
    leaving.phase = .goingDown
    try save(leaving, over: state)
    try Timeline.phase("programs") { try endPrograms(of: lab) }
    let failures = Timeline.phase("unpin") {
      unpin(
        state.namespaces.filter { namespaces[$0] != nil || Files.isEmptyFile(OpenNamespace.path(of: $0)) })
    }
    if let failure = failures.first {
      throw RunnerError(
        .kernel,
        "\(failures.count == 1 ? "a namespace" : "\(failures.count) namespaces") could not be removed: \(failure)",
        remedy: "Try again: `netlab down \(lab)`.")
    }
    try forget(lab)
    return namespaces.foreign
  }

  /// Waits until the kernel has freed what labs before left: `down` itself only lets go of it, and the rest is work of the
  /// kernel's own, for which new namespaces wait.
  package func waitForCleanup() throws {
    try Timeline.phase("free") { () throws(NetlinkError) in try NetworkNamespace.waitForCleanup() }
  }

  /// Takes the names of namespaces away: what did not work.
  private func unpin(_ names: [String]) -> [NetlinkError] {
    guard faults != nil else { return NetworkNamespace.unpin(paths: names.map(OpenNamespace.path)) }
    return names.compactMap { name in
      do throws(NetlinkError) {
        try unpin(name)
        return nil
      } catch {
        return error
      }
    }
  }

  /// Takes a namespace's name away, and with its last user all that is in it.
  func unpin(_ name: String) throws(NetlinkError) {
    let path = OpenNamespace.path(of: name)
    if let code = faults?.next() { throw NetlinkError(operation: "unpin namespace \(path)", code: code) }
    try NetworkNamespace.unpin(path: path)
  }

  /// Ends all that runs among a lab's processes: what it brought, in reverse order, and then what somebody left there.
  func endPrograms(of lab: String) throws {
    guard let keeper = try LabKeeper(at: store.folder(of: lab).keeper) else { return }
    if let code = faults?.next() { throw FileError("stop the programs of the lab", Errno(rawValue: code)) }
    for daemon in try keeper.daemons().reversed() { try keeper.stop(daemon.name) }
    for stray in try keeper.strays() {
      warning(
        "'\(stray.command.terminalSafe)' (\(stray.process)), which a command left running in the lab, is ended with it"
      )
    }
    // The keeper of a world has what is being done now in it, and ends when the lab is forgotten.
    if World.keeper == nil { try keeper.end() }
  }

  func forget(_ lab: String) throws {
    if let code = faults?.next() { throw FileError("remove the state of the lab", Errno(rawValue: code)) }
    try store.remove(lab)
  }

  private func foreignLinks(in namespaces: OpenNamespaces, of state: LabState) -> [LabModel.Link] {
    // A lab that cannot be read any more can still be removed.
    let blueprints = ([state.document] + state.earlier).compactMap { try? $0.resolved().blueprint() }
    do {
      return try Timeline.phase("observe") {
        let links = try KernelState(namespaces)
        let observation = Observation(of: links, ownership: Ownership(of: blueprints), settings: [])
        return blueprints.isEmpty ? [] : observation.unmanaged
      }
    } catch {
      warning("cannot tell whether there is something of somebody else's in the lab: \(error)")
      return []
    }
  }
}
