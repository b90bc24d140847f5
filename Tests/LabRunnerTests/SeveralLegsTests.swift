import TestSupport
import Testing
import Values

@testable import LabChecks
@testable import LabKit
@testable import LabModel

/// VMs with several interfaces, as the kernel answers for them: what the rules of pairs say is what really happens.
@Suite(.needs(.namespaces, .veth, .bridge, .ipv6)) struct SeveralLegsTests {
  /// client ─ net ═ server (twice) ─ legs, with a route of the client's to the server's other leg.
  private struct Legs: Lab {
    let net = Network("net", subnets: ["10.73.0.0/24", "fd73::/64"])
    let legs = Network("legs", subnets: ["10.74.0.0/24", "fd74::/64"])

    let server = VM("server")

    var topology: some Topology {
      Host("h") {
        server.port(on: net, addresses: ["10.73.0.10", "fd73::10"])
        server.port(on: net, addresses: ["10.73.0.11", "fd73::11"])
        server.port(on: legs, addresses: ["10.74.0.10", "fd74::10"])
        VM("client").port(
          on: net, addresses: ["10.73.0.20", "fd73::20"],
          routes: [.onLink("10.74.0.0/24"), .onLink("fd74::/64")])
      }
    }
  }

  @Test func `Linux answers on any interface`() async throws {
    try await withLab(Legs(), .linuxbridge) { lab in
      let text = try await lab.passes(AllPairs())
      // Of the client's six, IPv6 does not answer for the other leg.
      #expect(text.hasPrefix("7 of 7 pairs answer, "), "\(text)")
      #expect(text.hasSuffix("; 1 that must not do not"), "\(text)")
      _ = try await lab.passes(AllPairs(on: "net"))
      // Control: a server that answers by no interface is missed.
      for device in ["eth0", "eth1"] {
        try await lab.run("ip link set \(device) down", on: "server")
      }
      let failure = try await lab.failure(of: AllPairs())
      #expect(failure.seen.contains("do not answer"), "\(failure.seen)")
    }
  }
}
