import ArgumentParser
import FoundationEssentials
import LabSandbox

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract: "Run a command on a private kernel that has every feature a lab needs.",
    discussion: """
      Starts a User-Mode-Linux kernel (Debian's package user-mode-linux) as an ordinary process, runs the command in \
      it, and ends it. The same programs and files are there as on this machine, but only the current folder, and \
      those named with --writable, are the real ones: anything else the command writes is thrown away, and its \
      namespaces, devices and routes never touch this machine's network. No privileges are needed; the command is \
      root in there. The environment variable NETLAB_SANDBOX holds the release of the sandbox's kernel.

      The exit status is the command's. 124: --time-limit was exceeded; 125: the sandbox itself failed; 126 and 127: \
      the command could not be run, or was not found; 128 + n: signal n ended it.

      Look around in a shell, with VLANs, whatever this machine's own kernel can do:
        netlab sandbox

      Run a test suite against a kernel that has VLAN filtering, for at most two minutes:
        netlab sandbox --time-limit 120 -- ./run-tests --verbose
      """)

  @Option(
    help: ArgumentHelp(
      "End the command after so many seconds, the kernel's start included.", valueName: "seconds"))
  var timeLimit: Double?

  @Option(help: ArgumentHelp("The kernel's memory: a number and K, M or G.", valueName: "size"))
  var memory = "2G"

  @Option(
    help: ArgumentHelp(
      "A folder, besides the current one, that the command may change; repeatable.", valueName: "folder"))
  var writable: [String] = []

  @Argument(help: "The command and its arguments; an interactive shell when there is none.")
  var command: [String] = []

  func validate() throws {
    if let timeLimit, !(timeLimit > 0 && timeLimit < 1e9) {
      throw ValidationError("--time-limit has to be above 0.")
    }
  }

  func run() async throws {
    var sandbox = Sandbox()
    sandbox.memory = memory
    sandbox.timeLimit = timeLimit.map { .seconds($0) }
    sandbox.writableFolders = writable
    let shell = ProcessInfo.processInfo.environment["SHELL"] ?? "/bin/sh"
    let arguments = command.isEmpty ? [shell] : command
    throw ExitCode(try await cancelledBySignals { [sandbox] in try await sandbox.run(arguments) })
  }
}
