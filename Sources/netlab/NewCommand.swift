import ArgumentParser
import FoundationEssentials
import LabKernel
import LabMachine
import LabModel
import LabProcesses

struct NewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Write a starter lab, with comments, that passes its checks.",
    discussion: "netlab new my-lab.swift && netlab test my-lab.swift")

  @Argument(help: "The file to write; it must not exist yet.")
  var file: String

  func run() async throws {
    let path = file.hasSuffix(".swift") ? file : "\(file).swift"
    let type = Self.typeName(from: path)
    guard !FileManager.default.fileExists(atPath: path) else {
      throw RunnerError(.usage, "\(path) exists already", remedy: "Choose another name, or remove it first.")
    }
    let folder = URL(filePath: path).deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder) else {
      throw RunnerError(.usage, "there is no folder \(folder)", remedy: "Make it: mkdir -p \(folder)")
    }
    do {
      try Data(Self.starter(type).utf8).write(to: URL(filePath: path), options: .withoutOverwriting)
    } catch {
      throw RunnerError(.environment, "cannot write \(path): \(error)")
    }
    Console.print("wrote \(path); now: netlab test \(path)\(await Self.suitableDatapath())")
  }

  /// What the default datapath needs and this machine's kernel may lack.
  private static func suitableDatapath() async -> String {
    let host = World.isNeeded ? try? await KernelReport.ofNewWorld() : KernelReport.ofThisKernel()
    guard let host, host.has(.bridge), !host.has(.vlanFiltering) else { return "" }
    return " --datapath linuxbridge"
  }

  /// `labs/my-lab.swift` → `MyLab`; what already means something in a lab gets another name.
  static func typeName(from path: String) -> String {
    let stem = path.split(separator: "/").last.map { String($0.dropLast(".swift".count)) } ?? ""
    let words = stem.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    if name.isEmpty { return "MyLab" }
    if takenNames.contains(name) { return "\(name)Lab" }
    return name.first?.isLetter == true ? name : "Lab\(name)"
  }

  /// The names of types that a starter lab uses, and words that cannot be one.
  static let takenNames: Set = [
    "Any", "Capture", "Checks", "Host", "Int", "Lab", "Network", "Parameter", "Ping", "Protocol", "Run",
    "Self", "TCP",
    "Topology", "Type", "Unreachable", "VM",
  ]

  static func starter(_ type: String) -> String {
    """
    import LabKit

    /// Two VMs on one network, and a third one on another.
    @main
    struct \(type): Lab {
      // Networks and VMs are handles. What you leave out (addresses, MACs, ids) is chosen for you, each time the same.
      let blue = Network("blue", subnet: "10.0.1.0/24")
      let green = Network("green", subnet: "10.0.2.0/24")
      let web = VM("web")
      let db = VM("db")
      let other = VM("other")

      // A parameter: netlab test FILE --set pings=10
      @Parameter("How many echo requests the ping check sends") var pings = 3

      // What there is: a compute host, and a port for each VM that runs on it.
      var topology: some Topology {
        Host("compute-1") {
          web.port(on: blue, ip: "10.0.1.10")
          db.port(on: blue)
          other.port(on: green)
        }
      }

      // What must hold. `netlab test` brings the lab up, runs these, and takes it down.
      var checks: some Checks {
        Ping(from: db, to: web, count: pings)
        // The check brings the listener; without `.byCheck`, a server has to run in the VM.
        TCP(from: db, to: web, port: 80, listening: .byCheck)

        // The networks are separate: nobody answers across them.
        Unreachable(from: other, to: web)

        // tcpdump at the web VM sees each request and each reply.
        Capture(at: web, filter: "icmp") {
          Ping(from: db, to: web, count: pings)
        }.sees(.exactly(2 * pings))

        // Any command, inside a VM.
        Run(on: web, "ip", "-brief", "address", output: .contains("10.0.1.10/24"))
      }
    }

    """
  }
}
