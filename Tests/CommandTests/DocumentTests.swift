import Foundation
import Testing

/// What the documents say is run, and prints what they say.
extension CommandTests {
  @Suite(.serialized) struct DocumentTests {
    @Test(arguments: [0, 1, 3])
    func `Each session in the README prints what the README shows`(number: Int) async throws {
      let sessions = try blocks("README.md", language: "console")
      try #require(sessions.count == 4)
      try await expectTheSame(sessions[number]) { script in
        let path = "PATH=$PATH:\(Checkout.folder.path)/.build/debug"
        return [Checkout.netlab, "sandbox", "--", "bash", "-c", "\(path)\n\(script)"]
      }
    }

    @Test func `So does that of an ordinary user`() async throws {
      let user = try OrdinaryUser()
      try user.getLabs()
      let session = try blocks("README.md", language: "console")[2]
      try await expectTheSame(session) { script in
        user.command(["bash", "-c", "PATH=$PATH:.\n\(script)"])
      }
      #expect(try await user.isAlone())
    }

    /// Runs the commands of a session, and compares what they print with what the session shows.
    private func expectTheSame(_ session: [String], running: (String) -> [String]) async throws {
      var shown: [(command: String, output: [String])] = []
      for line in session {
        if line.hasPrefix("$ ") {
          shown.append((String(line.dropFirst(2)), []))
        } else {
          shown[shown.count - 1].output.append(line)
        }
      }
      #expect(shown.count > 3)
      let script = shown.map { "echo '== \($0.command)'; \($0.command) 2>&1\n" }.joined()
      let outcome = try await run(running(script))
      var printed: [[String]] = []
      for line in outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        if line.hasPrefix("== ") {
          printed.append([])
        } else {
          printed[printed.count - 1].append(String(line))
        }
      }
      #expect(printed.count == shown.count, "\(outcome)")
      for (shown, printed) in zip(shown, printed) {
        #expect(comparable(shown.output) == comparable(printed), "$ \(shown.command)")
      }
    }

    @Test func `The lab in the README passes`() async throws {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let lab = try #require(blocks("README.md", language: "swift").first { $0.contains("@main") })
      let file = scratch.appending(path: "Apart.swift")
      try lab.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
      let outcome = try await netlab("test", file.path)
      #expect(outcome.status == 0, "\(outcome)")
    }

    @Test(arguments: ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
    func `Every command in a document exists`(document: String) async throws {
      let lines = try blocks(document, language: "sh").joined()
      for line in lines {
        let words = line.prefix { $0 != "#" }.split(separator: " ").map(String.init)
        switch words.first?.split(separator: "/").last {
        case "netlab":
          #expect(CommandLineTests.subcommands.contains(words[1]), "\(line)")
        case "make":
          #expect(try await run(["make", "--dry-run", words[1]]).status == 0, "\(line)")
        case "swift":
          #expect(["build", "test"].contains(words[1]), "\(line)")
        case nil: continue
        default: Issue.record("\(document): what is this? \(line)")
        }
      }
      for command in try text(document).matches(of: /`netlab ([a-z]+)/) {
        #expect(CommandLineTests.subcommands.contains(String(command.1)), "\(document): netlab \(command.1)")
      }
    }

    @Test(arguments: ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
    func `Every file and folder that a document names exists`(document: String) throws {
      for link in try text(document).matches(of: /\]\(([^):#]+)\)/) {
        #expect(
          FileManager.default.fileExists(atPath: Checkout.folder.appending(path: String(link.1)).path),
          "\(link.1)")
      }
      for path in try text(document).matches(of: /`((?:LabKit|LabRunner|CNetlink|Netlink)\/[\w.\/]+)`/) {
        #expect(
          FileManager.default.fileExists(atPath: Checkout.folder.appending(path: "Sources/\(path.1)").path),
          "\(path.1)")
      }
    }

    private func text(_ document: String) throws -> String {
      try String(contentsOf: Checkout.folder.appending(path: document), encoding: .utf8)
    }

    /// The lines of each fenced block of a language.
    private func blocks(_ document: String, language: String) throws -> [[String]] {
      var blocks: [[String]] = []
      var inside = false
      for line in try text(document).split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```") {
          inside = !inside && line == "```\(language)"
          if inside { blocks.append([]) }
        } else if inside {
          blocks[blocks.count - 1].append(String(line))
        }
      }
      return blocks
    }

    /// The lines without what differs from run to run: times, addresses the kernel chooses, and the order of `ip netns`.
    private func comparable(_ lines: [String]) -> [String] {
      lines.map {
        $0.replacing(/\d+(\.\d+)? [mµ]?s\b/, with: "TIME").replacing(/8000\.[0-9a-f]{12}/, with: "ID")
      }.sorted()
    }
  }
}
