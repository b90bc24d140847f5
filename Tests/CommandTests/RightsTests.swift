import Foundation
import LabProcesses
import Testing

/// Root of a container that was not given all rights, and users to whom the machine refuses namespaces.
extension CommandTests {
  @Suite(.serialized) struct RightsTests {
    private static let lab = """
      import LabKit
      @main struct Rights: Lab {
        let net = Network("net", subnet: "10.0.0.0/24")
        var datapath: Datapath { .linuxbridge }
        var topology: some Topology {
          Host("compute-1") { VM("a").port(on: net); VM("b").port(on: net) }
        }
        var checks: some Checks { Ping(from: "a", to: "b") }
      }
      """

    /// Runs netlab as root without some capabilities.
    private func netlab(without rights: String, _ arguments: [String]) async throws -> Outcome {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "Rights.swift")
      try Self.lab.write(to: file, atomically: true, encoding: .utf8)
      let set = rights.split(separator: ",").map { "-\($0)" }.joined(separator: ",")
      return try await run(
        ["setpriv", "--bounding-set", set, "--inh-caps", set, "--", Checkout.netlab]
          + arguments.map { $0 == "LAB" ? file.path : $0 })
    }

    @Test(arguments: [
      ("sys_admin", "CAP_SYS_ADMIN"), ("setuid", "CAP_SETUID"),
      ("setgid,sys_admin", "CAP_SETGID, CAP_SYS_ADMIN"),
    ])
    func `A test takes the sandbox where root lacks rights`(rights: String, names: String) async throws {
      let outcome = try await netlab(without: rights, ["test", "LAB"])
      #expect(outcome.status == 0, "\(outcome)")
      #expect(
        outcome.output.hasPrefix("in a User-Mode-Linux kernel, because root lacks \(names) here:\n"),
        "\(outcome)")
      #expect(outcome.output.contains("1 check: 1 passed"))
    }

    @Test func `Other commands say what is missing`() async throws {
      let compile = try await netlab(without: "sys_admin", ["compile", "LAB"])
      #expect(compile.status == 0 && compile.output.hasPrefix("{"), "\(compile)")
      let up = try await netlab(without: "sys_admin", ["up", "LAB"])
      #expect(up.status == 3, "\(up)")
      #expect(up.errors.contains("The reason may be that root lacks CAP_SYS_ADMIN here."), "\(up)")
      let user = try await netlab(without: "setuid", ["compile", "LAB"])
      #expect(user.status == 3, "\(user)")
      #expect(
        user.errors.contains(
          "cannot run the lab as user 65534: root has no right to become another user here"))
      #expect(try await netlab(without: "setuid", ["compile", "LAB", "--as-root"]).status == 0)
    }

    @Test func `Doctor shows what root lacks`() async throws {
      let outcome = try await netlab(without: "sys_admin,setuid", ["doctor"])
      #expect(
        outcome.output.contains("root lacks CAP_SETUID, CAP_SYS_ADMIN here: `netlab test` uses the sandbox"),
        "\(outcome)")
      #expect(
        try await !netlab(without: "syslog", ["doctor", "--kernel", "host"]).output.contains("root lacks"))
    }

    /// An ordinary user's labs are closed in by a user namespace.
    @Test func `An ordinary user's lab is closed in, or it is said that it is not`() async throws {
      let user = try OrdinaryUser()
      try user.getLabs()
      let lab = Self.lab.replacing(
        "var datapath",
        with: """
          init() {
              for place in ["/tmp", "\(user.home)", "\(user.runtime)"] {
                let path = place + "/left-\(user.id)"
                print(place, open(path, O_WRONLY | O_CREAT, 0o600) >= 0)
              }
              print("processes", kill(-1, 0) == 0, "id", getuid())
            }
            var datapath
          """
      ).replacing("import LabKit", with: "import Glibc\nimport LabKit")
      try lab.write(toFile: "\(user.home)/Rights.swift", atomically: true, encoding: .utf8)
      let closed = try await user.netlab("compile", "Rights.swift")
      #expect(closed.status == 0, "\(closed)")
      #expect(
        closed.errors
          == "/tmp true\n\(user.home) false\n\(user.runtime) false\nprocesses false id \(user.id)\n",
        "\(closed.errors)")
      #expect(!FileManager.default.fileExists(atPath: "/tmp/left-\(user.id)"))
      let refused = try await user.netlabWithoutNamespaces(["compile", "Rights.swift"])
      defer { try? FileManager.default.removeItem(atPath: "/tmp/left-\(user.id)") }
      #expect(refused.status == 0, "\(refused)")
      #expect(
        refused.errors.hasPrefix(
          "netlab: warning: this machine refuses the namespaces that close a lab's code in (No space left on device): "
        ),
        "\(refused.errors)")
      #expect(refused.errors.contains("\(user.home) true\n"), "\(refused.errors)")
    }
  }
}
