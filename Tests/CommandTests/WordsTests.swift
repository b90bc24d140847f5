import Foundation
import Testing

/// Slips that are easily made, and the sentences that help.
extension CommandTests {
  @Suite(.serialized) struct WordsTests {
    @Test(arguments: [
      (["tset", "x.swift"], "there is no command 'tset'", "Did you mean 'test'?"),
      (["help", "nosuch"], "there is no command 'nosuch'", "`netlab help` lists all."),
      (["up", "."], "'.' is a folder, not a lab", "No lab is in it"),
      (
        ["up", "Labs"], "'Labs' is a folder, not a lab",
        "Give one of its labs: Labs/Crowd.swift, Labs/Impaired.swift"
      ),
      (["up", "README.md"], "'README.md' is a file, but not a lab's", "`netlab new`"),
      (["up", "Labs/TwoVMs"], "'Labs/TwoVMs' does not", "Did you mean 'Labs/TwoVMs.swift'?"),
      (["show", "Labs/TwoVMs"], "'Labs/TwoVMs' does not", "Did you mean 'Labs/TwoVMs.swift'?"),
      (["new", "nosuch/x.swift"], "there is no folder nosuch", "Make it: mkdir -p nosuch"),
    ])
    func `A slip is understood`(arguments: [String], problem: String, remedy: String) async throws {
      let outcome = try await run([Checkout.netlab] + arguments)
      #expect(outcome.status == 2, "\(outcome)")
      #expect(outcome.errors.contains(problem) && outcome.errors.contains(remedy), "\(outcome.errors)")
      #expect(outcome.output == "")
    }

    private static let lab = """
      import LabKit

      @main
      struct Words: Lab {
        @Parameter var vms = 2
        let net = Network("net", subnet: "10.0.0.0/24")
        let web = VM("web")
        var datapath: Datapath { .linuxbridge }
        var topology: some Topology {
          Host("compute-1") { web.port(on: net) }
        }
        var checks: some Checks {
          Ping(from: web, to: "web")
        }
      }

      """

    private func compile(_ lab: String, _ arguments: String...) async throws -> (
      outcome: Outcome, file: String
    ) {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "Words.swift")
      try lab.write(to: file, atomically: true, encoding: .utf8)
      let outcome = try await run([Checkout.netlab, "compile", file.path] + arguments)
      return (outcome, String(file.path.dropFirst(Checkout.folder.path.count + 1)))
    }

    @Test(arguments: [
      (
        "@main\n", "\n", ":4:1: error: no type is marked with @main\n  fix: write @main above `struct …: Lab`"
      ),
      (
        "struct Words: Lab", "struct Words",
        ":3:1: error: the type that is marked with @main is no lab\n  fix: write `: Lab` behind its name"
      ),
      (
        "web.port(on: net) }", "web.port(on: net) }\n    Ping(from: web, to: web)",
        ":11:5: error: 'buildExpression' is unavailable: a check stands in `var checks: some Checks`, not in the topology"
      ),
      (
        "Ping(from: web, to: \"web\")", "VM(\"b\")",
        ":13:5: error: 'buildExpression' is unavailable: hosts, VMs and ports stand in `var topology: some Topology`"
      ),
    ])
    func `What is not a lab is said in a sentence`(words: String, wrong: String, error: String) async throws {
      let (outcome, file) = try await compile(Self.lab.replacing(words, with: wrong))
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains(file + error), "\(outcome.errors)")
      #expect(!outcome.errors.contains("linker"))
    }

    @Test func `A wrong setting has one error`() async throws {
      let (outcome, _) = try await compile(Self.lab, "--set", "vmz=3")
      #expect(outcome.status == 2)
      #expect(outcome.errors == "error: the lab has no parameter 'vmz'\n  fix: did you mean 'vms'?\n")
    }

    @Test func `Exchanged letters are near`() async throws {
      let (outcome, _) = try await compile(Self.lab.replacing("to: \"web\"", with: "to: \"wbe\""))
      #expect(outcome.errors.contains("fix: did you mean 'web'?"), "\(outcome.errors)")
    }

    @Test func `A command needs no dashes`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "Words.swift").path
      try Self.lab.replacing("to: \"web\"", with: "to: web").write(
        toFile: file, atomically: true, encoding: .utf8)
      #expect(try await netlab("up", file).status == 0)
      let plain = try await netlab("exec", "words", "web", "ip", "-br", "address")
      #expect(plain.status == 0 && plain.output.contains("eth0"), "\(plain)")
      #expect(try await netlab("exec", "words", "web", "--", "ip", "-br", "address").output == plain.output)
      #expect(try await netlab("exec", "words", "web", "echo", "--", "--help").output == "-- --help\n")
      #expect(try await netlab("down", "words").status == 0)
    }

    /// Swift's own words, and every type that a lab sees.
    @Test func `A new lab compiles under every name`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let kit = Checkout.folder.appending(path: "Sources")
      var names: Set = [
        "any", "self", "type", "protocol", "class", "struct", "main", "int", "string", "bool", "array",
        "error", "result",
        "some", "init", "set", "never", "optional", "lab", "var", "swift", "labkit", "1", "-", "a-b",
        "main-lab", "void",
        "double", "character", "codable", "equatable", "sendable", "foundation", "glibc", "mirror", "task",
        "actor",
      ]
      for folder in ["LabKit/DSL", "LabKit/Checks", "LabKit/Document", "Values"] {
        let files = try FileManager.default.contentsOfDirectory(atPath: kit.appending(path: folder).path)
        for file in files {
          let text = try String(contentsOf: kit.appending(path: "\(folder)/\(file)"), encoding: .utf8)
          for match in text.matches(of: #/public (?:struct|enum|protocol|final class|typealias) (\w+)/#) {
            names.insert(String(match.1))
            names.insert(match.1.lowercased())
          }
        }
      }
      #expect(names.count > 80)
      for name in names { #expect(try await netlab("new", scratch.appending(path: name).path).status == 0) }
      let outcome = try await run([
        "sh", "-c",
        """
        ls \(scratch.path)/*.swift | xargs -P 2 -I FILE sh -c 'swiftc -typecheck -parse-as-library -swift-version 6 \
          -I \(Checkout.folder.path)/.build/debug/Modules FILE >FILE.log 2>&1 || { echo FILE; cat FILE.log; }'
        """,
      ])
      #expect(outcome.output == "")
    }

    @Test func `What fits the machine is suggested`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "fitting.swift").path
      let outcome = try await netlab("new", file)
      let doctor = try await netlab("doctor", "--kernel", "host").output.split(separator: "\n")
      let filters = doctor.contains { $0.hasPrefix("bridge VLAN filtering") && $0.contains("✓") }
      #expect(
        outcome.output.hasSuffix("netlab test \(file)\(filters ? "" : " --datapath linuxbridge")\n"),
        "\(outcome)")
    }
  }
}
