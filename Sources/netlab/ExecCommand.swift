import ArgumentParser
import LabLifecycle
import LabMachine
import LabProcesses

struct ExecCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Run a command inside a node of a running lab.",
    discussion: """
      The same as `ip netns exec LAB.NODE COMMAND`: terminal, environment and exit status are the command's own.

        netlab exec two-vms focal-1 ping -c1 192.168.21.66
        netlab exec two-vms compute-1 -- brctl show
      """)

  @OptionGroup var node: NodeOptions
  var options: LabOptions { node.options }
  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments, behind `--` or not.")
  var words: [String] = []

  func run() async throws {
    let command = words.first == "--" ? Array(words.dropFirst()) : words
    guard !command.isEmpty else {
      throw RunnerError(
        .usage, "there is no command to run",
        remedy: "Write it at the end: netlab exec \(node.options.lab) \(node.node) ip address")
    }
    end(ExecHelper.replaceProcess(with: command, at: try await node.place()))
  }
}

struct ShellCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "shell", abstract: "Open a shell inside a node of a running lab.",
    discussion: "The shell is $SHELL, or /bin/sh. Leaving it leaves the lab as it is.")

  @OptionGroup var node: NodeOptions
  var options: LabOptions { node.options }

  func run() async throws {
    let place = try await node.place()
    Console.warn("in \(node.node) of \(node.options.lab); 'exit' leaves")
    end(ExecHelper.replaceProcess(with: [Console.environment("SHELL") ?? "/bin/sh"], at: place))
  }
}

/// A node of a running lab.
struct NodeOptions: ParsableArguments {
  @OptionGroup var options: LabOptions
  @Argument(help: "A VM or host of the lab.")
  var node: String

  func place() async throws -> NodePlace {
    let lifecycle = Lifecycle.forCommandLine()
    return try lifecycle.place(of: node, in: try await options.name(lifecycle))
  }
}
