import TestSupport
import Testing
import Values

@testable import LabChecks
@testable import LabKit
@testable import LabMachine
@testable import LabModel
@testable import LabProcesses

/// What runs inside VMs: servers that listen, and commands with their input, output and end.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6)) struct ServiceTests {
  @Test func `A port is open only if somebody listens`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      for target in ["10.77.0.2", "fd77::2"] {
        let check = TCP(from: "a", to: target, port: 8080)
        let nobody = try await lab.failure(of: check)
        #expect(nobody.expected == "TCP port 8080 of \(target) to be reached")
        #expect(nobody.seen == "nobody listens on \(target) port 8080 in b")
        #expect(nobody.explanation == nil)
        try await serving(lab, on: target) {
          let open = try await lab.passes(check)
          #expect(open == "connected")
          let own = TCP(from: "a", to: target, port: 8080, listening: .byCheck)
          let shared = try await lab.passes(own)
          #expect(shared == "connected to what listens there already")
        }
      }
    }
  }

  @Test func `Refused and lost on the way are told apart`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let check = TCP(from: "a", to: "b", port: 8080)
      try await serving(lab, on: "10.77.0.2") {
        try await lab.run("ip route add prohibit 10.77.0.1", on: "b")
        let lost = try await lab.failure(of: check)
        #expect(lost.seen == "connecting: no answer within 1000 ms, although somebody listens there")
        try await lab.run("ip route del prohibit 10.77.0.1", on: "b")
        _ = try await lab.passes(check)
      }
      try await lab.run("ip link set eth0 down", on: "b")
      let both = try await lab.failure(of: check)
      #expect(both.seen.hasPrefix("nobody listens on 10.77.0.2 port 8080 in b; connecting: "), "\(both.seen)")
    }
  }

  /// Runs a server in b while the body does.
  private func serving(_ lab: RunningLab, on address: String, _ body: () async throws -> Void) async throws {
    let server = """
      import socket
      s = socket.create_server(('\(address)', 8080), family=socket.AF_INET\(address.contains(":") ? "6" : ""))
      print('ready', flush=True)
      while True: s.accept()
      """
    _ = try await lab.processes.withProcess(
      ["python3", "-c", server], in: "/run/netns/\(lab.lab.namespace(of: "b"))"
    ) { process in
      for await _ in process.standardOutput.lines { break }
      try await body()
    }
  }

  @Test func `Streams are compared byte by byte`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      func printf(_ text: String, _ output: Run.Output) -> Run {
        Run(on: "a", "printf", text, output: output)
      }
      let header = #"HTTP/1.1 200 OK\r\nServer: x\r\n"#
      for good in [
        printf(header, .contains("200 OK\r\nServer")), printf(header, .contains("OK\r")),
        printf(header, .contains("\n")), printf(header, .matches("200 OK$")),
        printf(header, .matches("^Server: x$")), printf(#"caf\351 OK\n"#, .contains("OK")),
        printf(#"e\314\201\n"#, .contains("e")), printf(#"a\000b"#, .contains("b")),
        printf(#"up\357\270\217\n"#, .contains("up")), printf(#"eth0\tUP\n"#, .matches(#"^eth0\s+UP$"#)),
      ] {
        _ = try await lab.passes(good)
      }
      for bad in [
        printf(header, .contains("200 OK\nServer")), printf(header, .matches("200$")),
        printf(#"e\314\201\n"#, .contains("é")),
      ] {
        _ = try await lab.failure(of: bad)
      }
    }
  }

  @Test func `Standard error, input, limits and signals can be asked for`() async throws {
    try await withLab(FourVMs(), .linuxbridge) { lab in
      let complaint = Run(on: "a", "sh", "-c", "echo hello >&2", errors: .contains("hello"))
      _ = try await lab.passes(complaint)
      let silent = try await lab.failure(of: Run(on: "a", "echo", "hello", errors: .contains("hello")))
      #expect(silent.expected == "'hello' in standard error")

      // More than a pipe holds, to a command that does not read it.
      let text = String(repeating: "0123456789", count: 20_000)
      _ = try await lab.passes(Run(on: "a", "wc", "-c", output: .matches("^200000$"), input: text))
      _ = try await lab.passes(Run(on: "a", "true", input: text))
      _ = try await lab.passes(Run(on: "a", "wc", "-c", output: .matches("^0$")))

      let much = { (limit: Int?) in
        Run(
          on: "a", "sh", "-c", "yes | head -c 2000000; echo END", output: .contains("END"), outputLimit: limit
        )
      }
      _ = try await lab.passes(much(3_000_000))
      let tooMuch = try await lab.doubt(about: much(nil))
      #expect(tooMuch.seen.hasPrefix("more than 1048576 bytes of output, and killed"))

      let slow = try await lab.failure(of: Run(on: "a", "sleep", "100", timeout: .milliseconds(50)))
      #expect(slow.seen == "still running after 0.05 seconds, and killed")

      let killed = { (signal: Int?) in Run(on: "a", "sh", "-c", "kill -9 $$", signal: signal) }
      #expect(try await lab.passes(killed(9)) == "killed by signal 9")
      #expect(try await lab.failure(of: killed(15)).seen == "killed by signal 9")
      #expect(try await lab.failure(of: killed(nil)).seen == "killed by signal 9")
      #expect(try await lab.failure(of: Run(on: "a", "true", signal: 9)).seen == "exit status 0")
    }
  }

  @Test func `A search that would not end is given up`() async throws {
    let text = Array(String(repeating: "a", count: 40).utf8)
    let endless = PatternSearch(pattern: "^(a+)+$b")
    #expect(try await endless.finds(in: text, within: .milliseconds(100)) == nil)
    #expect(try await PatternSearch(pattern: "^(a+)$").finds(in: text) == true)
    #expect(try await PatternSearch(pattern: "b").finds(in: text) == false)
    // And at once when the run is cancelled.
    let task = Task { try await endless.finds(in: text, within: .seconds(1000)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
