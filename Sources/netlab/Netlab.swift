import ArgumentParser

@main
struct Netlab: AsyncParsableCommand {
  func run() async throws {}
}
