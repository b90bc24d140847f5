import ArgumentParser
import LabRunner

@main
struct Main {
  static func main() async {
    if let status = ExecHelper.runIfRequested() { Netlab.exit(withError: ExitCode(status)) }
    await Netlab.main()
  }
}

struct Netlab: AsyncParsableCommand {
  func run() async throws {}
}
