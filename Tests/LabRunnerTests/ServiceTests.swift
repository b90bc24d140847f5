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
}
