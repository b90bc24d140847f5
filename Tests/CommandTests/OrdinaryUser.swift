import Foundation
import LabChecks
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabLoading
import LabMachine
import LabModel
import LabMutation
import LabProcesses
import LabTrace
import Testing
import Values

/// A user who is not root, with a netlab of their own: they may not be able to enter the checkout.
final class OrdinaryUser: Sendable {
  let id = UInt32.random(in: 60_000...64_000)
  /// Holds netlab, and is where it is run.
  let home = "\(FileManager.default.temporaryDirectory.path)/netlab-test-\(UUID().uuidString)"
  /// Holds labs as well: in a world /run is another one, and what is in there has to be there all the same.
  let runtime = "/run/netlab-test-\(UUID().uuidString)"

  init() throws {
    let files = FileManager.default
    for folder in [home, runtime] {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
      try own(folder)
    }
    for program in ["netlab", "netlab-exec"] {
      try files.copyItem(
        atPath: "\(Checkout.folder.path)/.build/debug/\(program)", toPath: "\(home)/\(program)")
    }
  }

  deinit {
    for process in processes { kill(process.id, SIGKILL) }
    for folder in [home, runtime] { try? FileManager.default.removeItem(atPath: folder) }
  }

  func own(_ path: String) throws {
    try FileManager.default.setAttributes(
      [.ownerAccountID: id, .groupOwnerAccountID: id, .posixPermissions: 0o700], ofItemAtPath: path)
  }

  /// Writes a lab that ships, on the datapath that every kernel can do, as a file of the user's.
  func lab(_ name: String, change: (inout LabDocument) -> Void = { _ in }) async throws -> String {
    let compiled = try await run([
      "\(Checkout.folder.path)/.build/debug/TwoVMs", "--emit-topology",
    ])
    var document = try LabDocument(json: Array(compiled.output.utf8))
    document.name = name
    document.datapath = .linuxbridge
    change(&document)
    let path = "\(runtime)/\(name).json"
    try document.json.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    return path
  }

  /// Copies the labs that ship, and what they are compiled against.
  func getLabs() throws {
    let files = FileManager.default
    for (file, place) in [
      (".build/debug/libLabKit.so", "libLabKit.so"), ("Labs", "Labs"),
      (".build/debug/Modules/LabKit.swiftmodule", "LabKit.swiftmodule"),
      (".build/debug/Modules/Values.swiftmodule", "Values.swiftmodule"),
    ] {
      try files.copyItem(atPath: "\(Checkout.folder.path)/\(file)", toPath: "\(home)/\(place)")
    }
  }

  /// The command line of netlab as this user, in the user's home.
  func netlabCommand(_ arguments: [String], environment: [String: String] = [:]) -> [String] {
    command(["\(home)/netlab"] + arguments, environment: environment)
  }

  /// A command line as this user, in the user's home.
  func command(_ arguments: [String], environment: [String: String] = [:]) -> [String] {
    let variables = ["HOME": home, "XDG_RUNTIME_DIR": runtime].merging(environment) { $1 }
    return ["setpriv", "--reuid", "\(id)", "--regid", "\(id)", "--clear-groups", "env", "-C", home]
      + variables.map { "\($0)=\($1)" } + arguments
  }

  @discardableResult
  func netlab(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
    try await run(netlabCommand(arguments, environment: environment))
  }

  /// Runs netlab as the user below a user namespace that allows no others.
  func netlabWithoutNamespaces(_ arguments: [String]) async throws -> Outcome {
    let script = """
      cd $1; shift; mkfifo made mapped; exec 3<> made 4<> mapped; rm made mapped
      unshare --user bash -c 'echo >& 3; read <& 4; exec "$@"' - \
        bash -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"' - "$@" &
      read <& 3
      for map in uid_map gid_map; do echo 0 0 65536 > /proc/$!/$map; done
      echo >& 4
      wait $!
      """
    return try await run(
      ["bash", "-c", script, "-", runtime]
        + netlabCommand(arguments))
  }

  /// All that run, with their command lines.
  var processes: [(id: pid_t, command: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { name in
      guard let id = pid_t(name),
        let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
        status.contains("\nUid:\t\(self.id)\t"), !status.contains("\nState:\tZ")
      else { return nil }
      let command = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
      return (id, String(decoding: command, as: UTF8.self).replacing("\0", with: " "))
    }
  }

  /// The processes that hold a lab's world.
  func keepers(of lab: String) -> [pid_t] {
    processes.filter { $0.command.hasSuffix("--keeper \(runtime)/netlab/\(lab) ") }.map(\.id)
  }

  /// Waits until no process of the user's is left; the sockets by which keepers were reached are then gone as well.
  func isAlone() async throws -> Bool {
    let limit = ContinuousClock.now + .seconds(60)
    while !processes.isEmpty {
      if .now > limit { return false }
      await Task.yield()
    }
    return sockets.isEmpty
  }

  /// The names of those that keepers listen at, or have listened at before they were killed.
  var sockets: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "\(runtime)/netlab")) ?? []
  }
}
