import ArgumentParser
import Glibc
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel

struct LogsCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Show what the services of a node have written.",
    discussion: """
      Of each service the last 1 to 2 MiB are kept as long as the lab is up, also over its restarts. What a VM's setup \
      has written is there as the service 'setup'.

        netlab logs my-lab web
        netlab logs my-lab web http --follow
      """)

  @OptionGroup var node: NodeOptions
  var options: LabOptions { node.options }
  @Argument(help: "One of the node's services; all of them by default.")
  var service: String?
  @Flag(name: .shortAndLong, help: "Go on with what is written from now on, until Ctrl-C.") var follow = false

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let lab = try await options.name(lifecycle)
    let state = try lifecycle.state(of: lab)
    _ = try lifecycle.namespacePath(of: node.node, in: lab)
    let folder = lifecycle.store.folder(of: lab)
    let names = state.document.programs(of: node.node)
    guard !names.isEmpty else {
      throw RunnerError(
        .usage, "nothing of the lab's runs in '\(node.node)'",
        remedy: "A service is declared by \(node.node).runs(…) in the lab's topology.")
    }
    if let service, !names.contains(service) {
      throw RunnerError(
        .usage, "'\(node.node)' has no service '\(service.terminalSafe)'",
        remedy: didYouMean(service, among: names)
          ?? "It has \(names.joined(separator: ", ")).")
    }
    let logs = (service.map { [$0] } ?? names).map { folder.log(of: "\(node.node).\($0)") }
    let old = follow ? [] : logs.flatMap { ["\($0).1", $0] }
    let files = follow ? logs : old.filter { Files.identity(of: $0) != nil }
    if files.isEmpty { return }
    // The tools for it know about terminals, pipes that close, and files that are begun anew.
    let tail = ["tail", "-n", "+1"]
    let command = follow ? tail + ["-F", "--"] : logs.count > 1 ? tail + ["--"] : ["cat", "--"]
    throw RunnerError(.environment, "cannot run \(command[0]): \(replaceProcess(command + files))")
  }
}

extension LabDocument {
  /// What a node runs, or has run when it was new.
  fileprivate func programs(of node: String) -> [String] {
    let vm = nodes.first { $0.name == node }?.declaration as? VM
    return (vm?.setup == nil ? [] : ["setup"]) + services.filter { $0.node == node }.map(\.name)
  }
}

/// Becomes a program; returns only when that fails, with the reason.
private func replaceProcess(_ command: [String]) -> String {
  var arguments = unsafe command.map { unsafe strdup($0) }
  unsafe arguments.append(nil)
  // A task's thread blocks signals, and what it becomes would go on doing so.
  var none = sigset_t()
  unsafe sigemptyset(&none)
  unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
  unsafe execvp(command[0], arguments)
  return unsafe String(cString: strerror(errno))
}
