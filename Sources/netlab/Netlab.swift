import ArgumentParser
import LabKit
import LabMachine
import LabProcesses

@main
struct Main {
  static func main() async {
    prepareProcess()
    do {
      try Netlab.checkSubcommand(CommandLine.arguments.dropFirst())
      var command = try Netlab.parseAsRoot()
      World.settle()
      if let command = command as? any RootlessCommand { try await command.enterWorld() }
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      if let failure = StandardStream.failure { throw failure }
    } catch {
      end(CommandFailure(StandardStream.failure ?? error).print())
    }
  }
}

struct Netlab: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "netlab",
    abstract: "Build the network of a cloud host on this machine, for real, and prove that it works.",
    discussion: """
      A lab is a Swift file that declares networks, hosts and VMs, and the checks that must hold. netlab builds it from \
      network namespaces, veth pairs, Linux bridges and VLANs, and everything stays open to ip, bridge and tcpdump.

        netlab new my-lab.swift          write a starter lab
        netlab test my-lab.swift         bring it up, run its checks, take it down
        netlab up my-lab.swift           bring it up and leave it running
        ip netns                         see its namespaces: my-lab.vm-1, my-lab.compute-1 …

      Without root everything works as well, in user namespaces: `netlab exec` and `netlab shell` are the way into them.

      LAB is a .swift file, a .json file that `netlab compile` wrote, or the name of a running lab.

      Exit codes: 0 good; 1 a check failed or drift was found; 2 the command line or the lab is wrong; 3 the machine \
      lacks something, or a check could not be determined; 4 the kernel refused; 130 and 143 interrupted, after cleaning up.
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "Life cycle:",
        subcommands: [
          UpCommand.self, DownCommand.self, StatusCommand.self, PlanCommand.self, ListCommand.self,
          CleanCommand.self,
        ]),
      CommandGroup(name: "Trouble on purpose:", subcommands: [ImpairCommand.self, LinkCommand.self]),
      CommandGroup(name: "Checks:", subcommands: [TestCommand.self, VerifyCommand.self]),
      CommandGroup(
        name: "See and explain:",
        subcommands: [ShowCommand.self, TraceCommand.self, CaptureCommand.self, GraphCommand.self]),
      CommandGroup(
        name: "Look inside:", subcommands: [ExecCommand.self, ShellCommand.self, LogsCommand.self]),
      CommandGroup(
        name: "Labs and machines:",
        subcommands: [
          NewCommand.self, CompileCommand.self, DoctorCommand.self, SandboxCommand.self, BenchCommand.self,
        ]),
    ])
}

extension Netlab {
  /// Fails where the first word, or the one behind `help`, is no subcommand.
  static func checkSubcommand(_ arguments: ArraySlice<String>) throws {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let words = arguments.first == "help" ? arguments.dropFirst() : arguments
    guard let word = words.first, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
    throw RunnerError(
      .usage, "there is no command '\(word)'",
      remedy: didYouMean(word, among: names) ?? "`netlab help` lists all.")
  }
}
