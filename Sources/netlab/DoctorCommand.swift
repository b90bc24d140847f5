import ArgumentParser
import LabKernel
import LabMachine
import LabModel
import LabProcesses
import LabSandbox

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show what this machine can do for labs.",
    discussion: """
      Every kernel feature is found out by trying it, in a namespace that vanishes afterwards: on this machine's \
      kernel, and on the sandbox's. Exit code 0: every shipped kind of lab can be tested here; 3: something is missing.
      """)

  enum Kernel: String, ExpressibleByArgument, CaseIterable { case all, host }
  @Option(help: "Which kernels to try.") var kernel = Kernel.all
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    var report = Report(
      host: KernelReport.ofThisKernel(), sandbox: nil, sandboxProblem: nil,
      programs: Program.all.map {
        Report.Found(name: $0.name, purpose: $0.purpose, package: $0.package, path: $0.path)
      })
    report.lackOfRights = Rights.lack
    if World.isNeeded {
      do {
        report.host = try await KernelReport.ofNewWorld()
      } catch {
        report.rootlessProblem = "\(error)"
      }
    }
    if kernel == .all {
      if let problem = Sandbox.unavailability() {
        report.sandboxProblem = "\(problem)"
      } else {
        let progress = Progress("starting the sandbox")
        report.sandbox = try await KernelReport.ofSandbox()
        progress.end()
      }
    }
    if json { try Console.printJSON(report) } else { show(report) }
    let canTest = report.host.missing.isEmpty || report.sandbox?.missing.isEmpty == true || kernel == .host
    if !canTest || report.programs.contains(where: { $0.path == nil && $0.package != nil }) {
      throw ExitCode(3)
    }
  }

  private func show(_ report: Report) {
    func mark(_ kernel: KernelReport?, _ feature: KernelFeature) -> String {
      guard let kernel else { return "not there" }
      guard let words = kernel.features[feature.rawValue] ?? nil else { return "✓" }
      return "✗ \(words)"
    }
    var rows = [
      ["KERNEL FEATURE", "HOST \(report.host.release)", "SANDBOX \(report.sandbox?.release ?? "")"]
    ]
    for feature in KernelFeature.allCases {
      rows.append([feature.rawValue, mark(report.host, feature), mark(report.sandbox, feature)])
    }
    for line in Console.table(rows) { Console.print(line) }
    if let problem = report.sandboxProblem { Console.print("sandbox: \(problem)") }
    Console.print("")
    rows = [["PROGRAM", "WHERE", "FOR"]]
    for program in report.programs {
      rows.append([
        program.name,
        program.path
          ?? "missing: \(program.package.map { "apt-get install \($0)" } ?? "https://www.swift.org/install")",
        program.purpose,
      ])
    }
    for line in Console.table(rows) { Console.print(line) }
    let missing = report.host.missing
    Console.print("")
    if let lack = report.lackOfRights {
      Console.print(
        "\(lack): `netlab test` uses the sandbox, and other commands need a container that grants them.")
    }
    if let problem = report.rootlessProblem {
      return Console.print("No lab on this machine's own kernel: \(problem)")
    }
    Console.print(
      missing.isEmpty
        ? "This machine's own kernel can run every lab."
        : report.sandbox?.missing.isEmpty == true
          ? "This machine's own kernel lacks \(missing.joined(separator: ", ")); `netlab test` uses the sandbox for labs that need it."
          : "This machine lacks \(missing.joined(separator: ", ")).")
    if World.isNeeded { Console.print("Labs run without root here, in user namespaces.") }
  }

  struct Report: Codable {
    struct Found: Codable {
      var name: String
      var purpose: String
      var package: String?
      var path: String?
    }
    var host: KernelReport
    var sandbox: KernelReport?
    var sandboxProblem: String?
    /// Why an ordinary user has no labs on the host's kernel.
    var rootlessProblem: String?
    /// The capabilities that root needs and lacks.
    var lackOfRights: String?
    var programs: [Found]
  }

  /// A program that netlab uses, or that people look at labs with.
  private struct Program {
    var name: String
    /// Debian's package; `nil` where there is none.
    var package: String?
    var purpose: String

    static let all = [
      Program(name: "ping", package: "iputils-ping", purpose: "Ping, Unreachable, Neighbour"),
      Program(name: "tcpdump", package: "tcpdump", purpose: "Capture, Tagged, NotFlooded"),
      Program(name: "traceroute", package: "traceroute", purpose: "Traceroute"),
      Program(name: "ip", package: "iproute2", purpose: "looking at labs"),
      Program(name: "bridge", package: "iproute2", purpose: "looking at labs"),
      Program(name: "brctl", package: "bridge-utils", purpose: "looking at labs"),
      Program(name: "linux.uml", package: "user-mode-linux", purpose: "the sandbox"),
      Program(name: "swiftc", package: nil, purpose: "labs in .swift files"),
    ]

    var path: String? {
      let isTool = CheckTool(rawValue: name) != nil
      return InstalledProgram(
        name, in: isTool ? CheckTool.searchPath : InstalledProgram.searchPath + ":/usr/sbin:/sbin")?.path
    }
  }
}
