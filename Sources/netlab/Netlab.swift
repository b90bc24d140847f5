import ArgumentParser

@main
struct Netlab: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Build a cloud network on this machine, and prove that it works.",
    subcommands: [
      SandboxCommand.self
    ])
}
