import LabKit
import LabLifecycle
import LabModel

/// A lab's file beside the running lab of that name.
struct LabFile {
  let path: String
  /// What the file says, on the datapath that the running lab has unless the command line says otherwise.
  let document: LabDocument
  let running: LabDocument

  init(_ path: String, _ document: LabDocument, datapath: Datapath?, _ lifecycle: Lifecycle) throws {
    self.path = path
    running = try lifecycle.state(of: document.name).document
    var document = document
    document.datapath = datapath ?? running.datapath
    self.document = document
  }

  /// What the file says and the running lab was not brought up with; `nil` when they are the same.
  var change: String? {
    if document == running { return nil }
    let names = Set(document.parameters.map(\.name))
    let other = running.parameters.filter { names.contains($0.name) && !document.parameters.contains($0) }
    return other.isEmpty
      ? "the file \(path) has changed since `up`"
      : "\(running.name) was brought up with \(other.map { "--set \($0.name)=\($0.value)" }.joined(separator: " "))"
  }

  /// Says what has changed, and whether the running lab still has the file's topology.
  func agrees() throws -> Bool {
    guard let change else { return true }
    let differences = try document.resolved().blueprint().difference(
      from: running.resolved().blueprint()
    ).changes
    Console.warn("warning: \(change)")
    guard let first = differences.first else { return true }
    Console.warn(
      """
      netlab: the running lab has another topology than the file: \(differences.count) \
      difference\(differences.count == 1 ? "" : "s"), the first: \(first.summary)
        `netlab up \(path)` makes it as the file says; `netlab verify \(running.name)` runs the checks that it was \
      brought up with.
      """)
    return false
  }
}
