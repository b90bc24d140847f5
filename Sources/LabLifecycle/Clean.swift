import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

extension Lifecycle {
  /// Something that netlab made and nobody uses any more.
  package struct Leftover: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
      /// A lab that did not come up or go down to the end, or that runs.
      case lab(LabState.Phase)
      /// A namespace that carries netlab's mark, and that no lab knows.
      case namespace(String)
      /// A folder for the state of a lab, with none in it.
      case folder
    }

    package var lab: String
    package var kind: Kind

    /// One line for people.
    package var summary: String {
      switch kind {
      case .lab(.comingUp): "lab \(lab), which did not come up to the end"
      case .lab(.goingDown): "lab \(lab), which did not go down to the end"
      case .lab(.up): "lab \(lab), which is up"
      case .namespace(let name):
        "namespace \(name.terminalSafe), which is of a lab '\(lab)' that is not there any more"
      case .folder: "the empty state of lab \(lab)"
      }
    }
  }

  /// What `clean` would remove: only what is recorded or carries netlab's mark, and nothing that another netlab is
  /// working on.
  ///
  /// - Parameter includingRunning: labs that are up as well.
  package func leftovers(includingRunning: Bool = false) throws -> [Leftover] {
    var found: [Leftover] = []
    var tokens: [String: String] = [:]
    var unreadable = Set<String>()
    for lab in try store.traces() {
      let known: LabState?
      do {
        known = try store.state(of: lab)
      } catch {
        // Whatever it is, it is not left over.
        warning("\(error)")
        unreadable.insert(lab)
        continue
      }
      guard let state = known else {
        if try !store.isLocked(lab) { found.append(Leftover(lab: lab, kind: .folder)) }
        continue
      }
      tokens[lab] = state.token
      if includingRunning || state.phase != .up, try !store.isLocked(lab) {
        found.append(Leftover(lab: lab, kind: .lab(state.phase)))
      }
    }
    for name in try Files.list(NetworkNamespace.directory).sorted() {
      guard let mark = try? mark(ofNamespace: name), tokens[mark.lab] != mark.token,
        NameRule.node.problem(of: mark.lab) == nil, !unreadable.contains(mark.lab)
      else { continue }
      found.append(Leftover(lab: mark.lab, kind: .namespace(name)))
    }
    return found
  }

  /// Removes a leftover.
  package func clean(_ leftover: Leftover) throws {
    switch leftover.kind {
    case .lab, .folder:
      if store.hasTraces(of: leftover.lab) { try down(leftover.lab) }
    case .namespace(let name):
      let lock = try store.lock(leftover.lab, waiting: { waiting(leftover.lab) })
      defer { extendLifetime(lock) }
      // Another netlab may have come by in the meantime.
      let state = try store.state(of: leftover.lab)
      if let mark = try mark(ofNamespace: name), mark.lab == leftover.lab, mark.token != state?.token {
        try unpin(name)
      }
      if state == nil { try forget(leftover.lab) }
    }
  }

  private func mark(ofNamespace name: String) throws(NetlinkError) -> Mark? {
    guard let namespace = try OpenNamespace.open(name) else { return nil }
    return Mark(on: try namespace.connection.link(1))
  }
}
