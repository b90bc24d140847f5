import Foundation
import Testing

/// Exit codes and words of every subcommand, for good and for bad input.
extension CommandTests {
  @Suite(.serialized) struct CommandLineTests {
    static let subcommands = [
      "up", "down", "status", "plan", "list", "clean", "test", "verify", "show", "trace", "graph", "capture",
      "exec",
      "shell", "new", "compile", "doctor", "bench",
      "sandbox", "impair", "link", "logs",
    ]

    @Test(arguments: subcommands)
    func `Help teaches`(subcommand: String) async throws {
      let outcome = try await netlab("help", subcommand)
      #expect(outcome.status == 0)
      #expect(outcome.output.hasPrefix("OVERVIEW: "))
      #expect(outcome.output.contains("USAGE: netlab \(subcommand)"))
    }

    @Test func `The overview names every subcommand`() async throws {
      let outcome = try await netlab("--help")
      #expect(outcome.status == 0)
      for subcommand in Self.subcommands { #expect(outcome.output.contains("\n  \(subcommand) ")) }
    }

    /// Command lines that are wrong: exit code 2, and words that say what to do.
    @Test(
      arguments: [
        (["bogus"], "there is no command 'bogus'"),
        (["up"], "Missing expected argument '<lab>'"),
        (["up", "Labs/Missing.swift"], "cannot read the lab"),
        (["up", "Labs"], "'Labs' is a folder, not a lab"),
        (["up", "Labs/TwoVMs.swift", "--datapath", "ovs"], "hybrid"),
        (["up", "Labs/Crowd.swift", "--set", "vmz=3"], "the lab has no parameter 'vmz'"),
        (["up", "Labs/Crowd.swift", "--set", "vms=many"], "wants a value of type Int"),
        (["down", "no-such-lab"], "the lab 'no-such-lab' is not running"),
        (["status", "no-such-lab"], "the lab 'no-such-lab' is not running"),
        (["verify", "Labs/TwoVMs.swift"], "the lab 'two-vms' is not running"),
        (["exec", "no-such-lab", "vm", "--", "true"], "the lab 'no-such-lab' is not running"),
        (["exec", "no-such-lab", "vm"], "there is no command to run"),
        (["show", "no-such-lab"], "the lab 'no-such-lab' is not running"),
        (["show", "no-such-lab", "prots"], "Did you mean 'ports'?"),
        (["graph", "Labs/TwoVMs.swift", "--trace", "focal-1", "focl-2"], "Did you mean 'focal-2'?"),
        (["graph", "Labs/TwoVMs.swift", "--trace", "focal-1"], "--trace takes two VMs"),
        (["trace", "no-such-lab", "a", "b"], "the lab 'no-such-lab' is not running"),
        (["trace", "Labs/TwoVMs.swift", "focal-1", "focal-2"], "the lab 'two-vms' is not running"),
        (["capture", "no-such-lab", "vm"], "the lab 'no-such-lab' is not running"),
        (["capture", "no-such-lab"], "Name a place to capture at"),
        (["new", "Labs/TwoVMs.swift"], "exists already"),
        (["down", "../etc"], "the lab '../etc' is not running"),
        (["sandbox", "--memory", "much", "--", "true"], "much"),
      ])
    func `A wrong command line is refused`(arguments: [String], words: String) async throws {
      let outcome = try await run([Checkout.netlab] + arguments)
      #expect(outcome.status == 2, "\(outcome)")
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }

    @Test func `All mistakes of a lab are shown at once, each with its place`() async throws {
      let outcome = try await lab(
        """
        import LabKit
        @main struct Wrong: Lab {
          let net = Network("net", subnet: "10.0.0.0/24")
          var topology: some Topology {
            Host("compute-1") {
              VM("a").port(on: net, ip: "10.0.1.5")
              VM("a b").port(on: net)
            }
          }
          var checks: some Checks {
            Ping(from: "a", to: "c")
            Capture(at: "a", filter: "icmp andd tcp") { Ping(from: "a", to: "a") }
          }
        }
        """
      ) { file in ["up", file] }
      #expect(outcome.status == 2)
      #expect(
        outcome.errors.contains(
          "Wrong.swift:6:19: error: 10.0.1.5 is not in 10.0.0.0/24, the subnet of 'net', declared on line 3"),
        "\(outcome.errors)")
      #expect(outcome.errors.contains("Wrong.swift:7:9: error: the VM's name 'a b' contains ' '"))
      #expect(outcome.errors.contains("Wrong.swift:11:9: error: there is no VM 'c'"))
    }

    @Test func `A wrong capture filter is shown with libpcap's words`() async throws {
      let outcome = try await lab(
        """
        import LabKit
        @main struct Filter: Lab {
          let net = Network("net", subnet: "10.0.0.0/24")
          var topology: some Topology { Host("compute-1") { VM("a").port(on: net) } }
          var checks: some Checks {
            Capture(at: "a", filter: "icmp andd tcp") { Ping(from: "a", to: "a") }
          }
        }
        """
      ) { file in ["up", file] }
      #expect(outcome.status == 2)
      #expect(
        outcome.errors.contains("Filter.swift:6:12: error: 'icmp andd tcp' is not a capture filter: "),
        "\(outcome.errors)")
      #expect(outcome.errors.contains("syntax error"))
    }

    @Test func `A lab that does not compile is shown in the compiler's words`() async throws {
      let outcome = try await lab("import LabKit\n@main struct Broken: Lab {\n  let x: Int = \"\"\n}\n") {
        file in ["compile", file]
      }
      #expect(outcome.status == 2)
      #expect(
        outcome.errors.contains(
          "Broken.swift:3:16: error: cannot convert value of type 'String' to specified type 'Int'"))
    }

    @Test func `What this kernel lacks is said, and leaves nothing`() async throws {
      let outcome = try await netlab("test", "Labs/TwoVMs.swift", "--kernel", "host")
      // Where the host's kernel has VLAN filtering, the lab passes.
      #expect([0, 3].contains(outcome.status), "\(outcome)")
      if outcome.status == 3 { #expect(outcome.errors.contains("netlab doctor")) }
      #expect(try await netlab("status", "two-vms").errors.contains("the lab 'two-vms' is not running"))
    }

    @Test func `A new lab passes, from Swift and from JSON`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "my-first.swift").path
      #expect(try await netlab("new", file).status == 0)
      let tested = try await netlab("test", file, "--set", "pings=2")
      #expect(tested.status == 0, "\(tested)")
      #expect(tested.output.contains("5 checks: 5 passed"))
      let compiled = try await netlab("compile", file, "--datapath", "linuxbridge")
      #expect(compiled.status == 0)
      let json = scratch.appending(path: "compiled.json")
      try compiled.output.write(to: json, atomically: true, encoding: .utf8)
      // A machine without Swift: no compiler in PATH.
      let elsewhere = try await netlab(
        "test", json.path, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
      #expect(elsewhere.status == 0, "\(elsewhere)")
    }

    @Test func `A failing check gives exit code 1 and says what was expected and seen`() async throws {
      let source = """
        import LabKit
        @main struct Failing: Lab {
          let net = Network("net", subnet: "10.0.0.0/24")
          let a = VM("a")
          let b = VM("b")
          var datapath: Datapath { .linuxbridge }
          var topology: some Topology { Host("compute-1") { a.port(on: net); b.port(on: net) } }
          var checks: some Checks {
            Unreachable(from: a, to: b)
            Ping(from: a, to: b)
          }
        }
        """
      let outcome = try await lab(source) { file in ["test", file] }
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("✗ unreachable a → b"))
      #expect(outcome.output.contains("expected"))
      #expect(outcome.output.contains("2 checks: 1 passed, 1 failed"))
      #expect(outcome.output.contains("failing is down"))
    }

    @Test func `What could not be determined, or proves nothing, gives exit code 3`() async throws {
      func source(_ checks: String) -> String {
        """
        import LabKit
        @main struct Doubtful: Lab {
          let net = Network("net", subnet: "10.0.0.0/24")
          let a = VM("a")
          let b = VM("b")
          var datapath: Datapath { .linuxbridge }
          var topology: some Topology { Host("compute-1") { a.port(on: net); b.port(on: net) } }
          var checks: some Checks { \(checks) }
        }
        """
      }
      let doubtful = try await lab(source("Ping(from: a, to: b); Run(on: a, \"no-such-command\")")) {
        ["test", $0]
      }
      #expect(doubtful.status == 3, "\(doubtful)")
      #expect(doubtful.output.contains("? run on a: no-such-command  undetermined  "))
      #expect(doubtful.output.contains("2 checks: 1 passed, 1 undetermined"))
      let json = try await lab(source("Run(on: a, \"no-such-command\")")) { ["test", "--json", $0] }
      #expect(json.status == 3)
      #expect(json.output.contains("\"outcome\" : \"undetermined\""), "\(json.output)")
      #expect(json.output.contains("\"undetermined\" : 1"), "\(json.output)")
      let failed = try await lab(source("Run(on: a, \"false\"); Run(on: a, \"no-such-command\")")) {
        ["test", $0]
      }
      #expect(failed.status == 1)
      #expect(failed.output.contains("2 checks: 0 passed, 1 failed, 1 undetermined"))

      for (checks, words) in [
        ("[Ping]()", "nothing was proved: the lab has no checks"),
        ("SameTag(a, b)", "nothing was proved: all of its checks were skipped"),
      ] {
        let empty = try await lab(source(checks)) { ["test", $0] }
        #expect(empty.status == 3, "\(empty)")
        #expect(empty.errors.contains(words))
        #expect(try await lab(source(checks)) { ["test", $0, "--allow-empty"] }.status == 0)
      }
    }

    @Test func `A program in the caller's PATH is not taken for one that checks run`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      for name in ["ping", "tcpdump"] {
        let file = scratch.appending(path: name).path
        try "#!/bin/sh\necho '3 packets transmitted, 0 received, 100% packet loss'; exit 1\n".write(
          toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
      }
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      let outcome = try await netlab(
        "test", "Labs/TwoVMs.swift", "--datapath", "linuxbridge",
        environment: ["PATH": "\(scratch.path):\(path)", "LC_ALL": "de_DE.UTF-8"])
      #expect(outcome.status == 0, "\(outcome)")
    }

    @Test func `Doctor tries every feature on both kernels`() async throws {
      let outcome = try await netlab("doctor")
      #expect([0, 3].contains(outcome.status))
      for feature in ["bridge VLAN filtering", "VLAN subinterfaces (8021q)", "veth pairs"] {
        let row = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix(feature) })
        #expect(row.hasSuffix("✓"), "the sandbox has it: \(row)")
      }
    }

    /// Runs netlab on a lab of this source.
    private func lab(_ source: String, _ arguments: (String) -> [String]) async throws -> Outcome {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let name = source.firstMatch(of: /struct (\w+): Lab/)?.1 ?? "Lab"
      let file = scratch.appending(path: "\(name).swift")
      try source.write(to: file, atomically: true, encoding: .utf8)
      return try await run([Checkout.netlab] + arguments(file.path))
    }
  }
}
