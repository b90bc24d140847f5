import Foundation
import LabProcesses
import Testing

/// What reaches standard output and the terminal, and what happens where it cannot.
extension CommandTests {
  @Suite(.serialized) struct OutputTests {
    private static let lab = """
      import LabKit
      @main struct Output: Lab {
        let net = Network("net", subnet: "10.0.0.0/24")
        var datapath: Datapath { .linuxbridge }
        var topology: some Topology {
          Host("compute-1") { VM("a").port(on: net); VM("b").port(on: net) }
        }
        var checks: some Checks { Ping(from: "a", to: "b") }
      }
      """

    private func script(_ script: String, lab: String = OutputTests.lab) async throws -> Outcome {
      let scratch = try Checkout.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "Output.swift")
      try lab.write(to: file, atomically: true, encoding: .utf8)
      // Without the labs that others run on this machine.
      let prelude = "mount -t tmpfs netlab-test /run; unset NO_COLOR\n"
      return try await run(
        ["unshare", "--mount", "bash", "-c", prelude + script],
        environment: ["NETLAB": Checkout.netlab, "LAB": file.path], in: scratch)
    }

    @Test(arguments: ["list", "compile $LAB", "plan $LAB", "help", "doctor --kernel host", "list --json"])
    func `A full disk is a failure`(command: String) async throws {
      let outcome = try await script("$NETLAB \(command) >/dev/full")
      #expect(outcome.status == 3, "\(outcome)")
      #expect(outcome.errors == "netlab: cannot write to standard output: No space left on device\n")
    }

    @Test func `So is a closed standard output`() async throws {
      let outcome = try await script("$NETLAB list >&-")
      #expect(outcome.status == 3, "\(outcome)")
      #expect(outcome.errors == "netlab: cannot write to standard output: Bad file descriptor\n")
      #expect(try await script("$NETLAB list 2>&-").status == 0)
    }

    @Test func `A test that cannot write takes its lab down`() async throws {
      let full = try await script("$NETLAB test $LAB >/dev/full; status=$?; $NETLAB list; exit $status")
      #expect(full.status == 3 && !full.output.contains("output"), "\(full)")
      #expect(full.errors.contains("No space left on device"))
    }

    @Test func `A reader who goes away ends a test like SIGTERM`() async throws {
      // The reader ends before the checks do.
      let outcome = try await script(
        "$NETLAB test $LAB | head -c 1; echo \" ${PIPESTATUS[*]}\"; $NETLAB list; $NETLAB test $LAB")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains(" 143 0\nno lab is running\n"), "\(outcome.output)")
      #expect(outcome.errors == "")
    }

    @Test func `A non-blocking standard output gets everything`() async throws {
      let reader = "import os,sys,time; time.sleep(0.5); print(len(sys.stdin.buffer.read()))"
      let nonBlocking = "import os,sys; os.set_blocking(1, False); os.execv(sys.argv[1], sys.argv[1:])"
      let outcome = try await script(
        """
        $NETLAB compile $LAB --set vms=400 | wc -c
        python3 -c '\(nonBlocking)' $NETLAB compile $LAB --set vms=400 | python3 -c '\(reader)'
        """,
        lab: Self.lab.replacing(
          "Host(\"compute-1\") {",
          with: "Host(\"compute-1\") { for i in 1...vms { VM(\"v\\(i)\").port(on: net) };"
        ).replacing("let net", with: "@Parameter var vms = 2\n  let net").replacing("0.0/24", with: "0.0/16"))
      let sizes = outcome.output.split(separator: "\n")
      #expect(sizes.count == 2 && sizes[0] == sizes[1] && (Int(sizes[0]) ?? 0) > 65536, "\(outcome)")
    }

    @Test func `What a lab writes cannot command the terminal`() async throws {
      let noisy = Self.lab.replacing(
        "var datapath",
        with: "init() { print(\"one\\u{1b}]0;title\\u{7}\\u{1b}[2J \\u{202e}two\") }\n  var datapath")
      let outcome = try await script("$NETLAB compile $LAB", lab: noisy)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors == "one\\u{1B}]0;title\\u{07}\\u{1B}[2J \\u{202E}two\n")
      let trap = try await script(
        "$NETLAB compile $LAB",
        lab: Self.lab.replacing("var datapath", with: "init() { fatalError(\"\\u{1b}[2J\") }\n  var datapath")
      )
      #expect(trap.status == 2 && !trap.errors.contains("\u{1b}"), "\(trap)")
      let file = try await script(
        "cp $LAB $'a\\e[2J.swift'; echo nonsense >>$'a\\e[2J.swift'; $NETLAB compile $'a\\e[2J.swift'")
      #expect(file.status == 2 && !file.errors.contains("\u{1b}"), "\(file)")
    }

    @Test func `A lab that floods is cut`() async throws {
      let flood = Self.lab.replacing(
        "var datapath", with: "init() { for i in 0..<100_000 { print(\"line \\(i)\") } }\n  var datapath")
      let outcome = try await script("$NETLAB compile $LAB", lab: flood)
      #expect(outcome.status == 0)
      #expect(outcome.errors.utf8.count < 70_000)
      #expect(outcome.errors.hasSuffix("\nnetlab: the lab says more than 64 KiB: the rest is left out\n"))
      #expect(outcome.output.hasPrefix("{"))
    }

    @Test func `JSON keeps what it escapes`() async throws {
      let named = Self.lab.replacing(
        "Ping(from: \"a\", to: \"b\")", with: "Run(on: \"a\", \"echo\", \"\\u{202e}\\u{7f}\\u{e0001}\")")
      let outcome = try await script("$NETLAB compile $LAB", lab: named)
      #expect(outcome.output.contains("\\u202e\\u007f\\udb40\\udc01"), "\(outcome)")
      let decoded = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      #expect("\(decoded)".unicodeScalars.contains("\u{202e}"))
    }

    @Test func `Colours can be forced, and kept away`() async throws {
      let forced = try await script("CLICOLOR_FORCE=1 $NETLAB test $LAB")
      #expect(forced.output.contains("\u{1b}[32m✓\u{1b}[0m"), "\(forced)")
      #expect(try await !script("CLICOLOR_FORCE=0 $NETLAB test $LAB").output.contains("\u{1b}"))
      #expect(try await !script("NO_COLOR=1 CLICOLOR_FORCE=1 $NETLAB test $LAB").output.contains("\u{1b}"))
    }

    @Test func `Errors are JSON for those who ask for JSON`() async throws {
      let outcome = try await script("$NETLAB status nosuch --json")
      let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      #expect(outcome.status == 2 && report?["status"] as? Int == 2, "\(outcome)")
      #expect((report?["error"] as? String)?.contains("the lab 'nosuch' is not running") == true)
      #expect(outcome.errors.contains("the lab 'nosuch' is not running"))
      let parameter = try await script("$NETLAB up $LAB --set x=1 --json")
      #expect(parameter.output.contains("the lab has no parameter 'x'"), "\(parameter)")
      #expect(try await script("$NETLAB status nosuch").output == "")
    }

    @Test func `Only the beginning of a path is shortened`() async throws {
      let broken = Self.lab + "\nnonsense\n"
      let nested = try await script(
        "mkdir -p a/x/$PWD; cp $LAB a/x/$PWD/L.swift; $NETLAB compile a/x/$PWD/L.swift; pwd", lab: broken)
      let folder = nested.output.split(separator: "\n").last ?? ""
      #expect(nested.errors.hasPrefix("a/x\(folder)/L.swift:10:1: error: "), "\(nested)")
      let removed = try await script(
        "mkdir gone; cd gone; rmdir ../gone; $NETLAB compile $LAB; echo $LAB", lab: broken)
      let path = removed.output.split(separator: "\n").last ?? ""
      #expect(removed.errors.hasPrefix("\(path):10:1: error: "), "\(removed)")
    }
  }
}
