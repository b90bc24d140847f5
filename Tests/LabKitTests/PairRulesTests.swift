import Foundation
import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Which pairs of VMs may talk, by the lab's networks and routes alone.
@Suite struct PairRulesTests {
  static let red = Network("red", subnet: "10.0.0.0/24")
  static let blue = Network("blue", subnet: "10.0.0.0/24")
  static let two = Network("two", subnets: ["10.1.0.0/24", "10.2.0.0/24"])
  static let dual = Network("dual", subnets: ["10.3.0.0/24", "fd00::/64"])

  /// `a>b` for each path that must answer, `a-b` for each that must not, in order.
  private func pairs(
    vms: [String]? = nil, on network: String? = nil, @TopologyBuilder _ topology: () -> TopologyGroup
  ) throws -> [String] {
    var document = LabDocument(name: "lab")
    document.add(topology().declarations, host: nil)
    let lab = try document.resolved()
    let rules = PairRules(lab, vms: vms, on: network)
    return rules.vms.flatMap { sender in
      rules.vms.flatMap { target in
        rules.paths(from: sender, to: target).map {
          lab.vms[sender].name + ($0.isAllowed ? ">" : "-") + lab.vms[target].name
        }
      }
    }
  }

  @Test func `Two networks with one subnet are kept apart`() throws {
    let pairs = try pairs {
      Host("h") {
        VM("a").port(on: Self.red, ip: "10.0.0.1")
        VM("b").port(on: Self.red, ip: "10.0.0.2")
        VM("c").port(on: Self.blue, ip: "10.0.0.3")
      }
    }
    #expect(pairs == ["a>b", "a-c", "b>a", "b-c", "c-a", "c-b"])
  }

  @Test func `An address that the sender has too, or its network, says nothing`() throws {
    let pairs = try pairs {
      Host("h") {
        VM("a").port(on: Self.red, ip: "10.0.0.1")
        VM("b").port(on: Self.red, ip: "10.0.0.2")
        VM("c").port(on: Self.blue, ip: "10.0.0.1")
      }
    }
    // c's address is a's own, and for b it is a's.
    #expect(pairs == ["a>b", "b>a", "c-b"])
  }

  @Test func `Routes decide where subnets differ, in both directions`() throws {
    let pairs = try pairs {
      Host("h") {
        VM("a").port(on: Self.two, ip: "10.1.0.1", routes: [.onLink("10.2.0.0/24")])
        VM("b").port(on: Self.two, ip: "10.2.0.1", routes: [.onLink("10.1.0.0/24")])
        VM("c").port(on: Self.two, ip: "10.1.0.2")
      }
    }
    #expect(pairs == ["a>b", "a>c", "b>a", "b-c", "c>a", "c-b"])
  }

  @Test func `What a gateway is in between of is not judged`() throws {
    let pairs = try pairs {
      Host("h") {
        VM("a").port(on: Self.two, ip: "10.1.0.1", routes: [.default(via: "10.1.0.2")])
        VM("b").port(on: Self.two, ip: "10.2.0.1")
        VM("c").port(on: Self.two, ip: "10.1.0.2")
      }
    }
    #expect(pairs == ["a>c", "b-a", "b-c", "c>a", "c-b"])
  }

  /// Whoever asks for one of its addresses gets an answer by every interface on the network.
  @Test func `Two interfaces in one subnet both answer`() throws {
    let pairs = try pairs {
      Host("h") {
        let a = VM("a")
        a.port(on: Self.dual, addresses: ["10.3.0.1", "fd00::1"])
        a.port(on: Self.dual, addresses: ["10.3.0.2", "fd00::2"])
        VM("b").port(on: Self.dual, addresses: ["10.3.0.3", "fd00::3"])
      }
    }
    #expect(pairs == ["a>b", "a>b", "b>a", "b>a", "b>a", "b>a"])
  }

  /// The other leg's address is asked for on the network that both are on. IPv6 answers there for its own only.
  @Test func `An on-link route leads to the other leg, on IPv4`() throws {
    let legs = Network("legs", subnets: ["10.4.0.0/24", "fd04::/64"])
    let topology = { (routes: [Route]) in
      Host("h") {
        VM("a").port(on: Self.dual, addresses: ["10.3.0.1", "fd00::1"], routes: routes)
        let b = VM("b")
        b.port(on: Self.dual, addresses: ["10.3.0.2", "fd00::2"])
        b.port(on: legs, addresses: ["10.4.0.2", "fd04::2"])
        VM("c").port(on: legs, addresses: ["10.4.0.3", "fd04::3"])
      }
    }
    let routes: [Route] = [.onLink("10.4.0.0/24"), .onLink("fd04::/64")]
    let ways = try pairs(vms: ["a", "b"]) { topology(routes) }
    #expect(ways == ["a>b", "a>b", "a>b", "a-b", "b>a", "b>a"])
    // c is not on the network where a asks for it.
    #expect(try pairs(vms: ["a", "c"]) { topology(routes) } == ["a-c", "a-c", "c-a", "c-a"])
    #expect(try pairs(vms: ["a", "b"]) { topology([]) } == ["a>b", "a>b", "a-b", "a-b", "b>a", "b>a"])
  }

  @Test func `Each address counts, in the families that both have`() throws {
    let topology = {
      Host("h") {
        VM("a").port(on: Self.dual)
        VM("b").port(on: Self.dual)
        VM("c").port(on: Self.dual, ip: "10.3.0.9")
        VM("d").port(on: Self.red)
      }
    }
    let all = try pairs { topology() }
    #expect(all.filter { $0 == "a>b" }.count == 2)
    #expect(all.filter { $0.hasSuffix("c") } == ["a>c", "b>c", "d-c"])
    #expect(try pairs(on: "dual") { topology() }.allSatisfy { !$0.contains("d") })
    #expect(try pairs(vms: ["b", "c"]) { topology() } == ["b>c", "c>b"])
  }

  @Test(arguments: mistakes) func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let mistakes: [Mistake] = [
    Mistake("all pairs of nobody") {
      Host("h") {
        VM("a").port(on: red)
        VM("b").port(on: blue)
      }
    } checks: {
      AllPairs()
    }.gives(
      """
      6:15: error: no two VMs can talk to each other, so that this would prove nothing
        fix: give two VMs addresses in one subnet of a network
      """),
    Mistake("all pairs on no network") {
      Host("h") { VM("a").port(on: red) }
    } checks: {
      AllPairs(on: "rde")
    }.gives(
      """
      3:15: error: there is no network 'rde'
        fix: did you mean 'red'?
      """),
    Mistake("unreachable VMs") {
      Host("h") {
        VM("a").port(on: red, ip: "10.0.0.1")
        VM("b").port(on: blue, ip: "10.0.0.2")
      }
    } checks: {
      Reachable("a", "b")
    }.gives(
      """
      6:16: error: 'a' cannot reach 'b': they have no network and subnet in common
        fix: use Unreachable for what must not be reached
      6:16: error: 'b' cannot reach 'a': they have no network and subnet in common
        fix: use Unreachable for what must not be reached
      """),
    Mistake("one subnet on two networks of a VM") {
      Host("h") {
        let (a, b) = (VM("a"), VM("b"))
        a.port(on: red)
        a.port(on: blue)
        b.port(on: red)
        b.port(on: red)
      }
    }.gives(
      """
      4:15: error: 10.0.0.0/24 of eth1 of 'a' is also the subnet of eth0 of 'a', declared on line 3, on another network
        fix: give one of the two networks another subnet
      """),
    Mistake("an observer that is an end") {
      Host("h") {
        VM("a").port(on: red, ip: "10.0.0.1")
        VM("b").port(on: red, ip: "10.0.0.2")
      }
    } checks: {
      NotFlooded(from: "a", to: "b", observer: "b")
      NotFlooded(from: "a", to: "10.0.0.2", observer: "b")
      NotFlooded(from: "a", to: "b", observer: "a")
    }.gives(
      """
      6:17: error: the observer 'b' is the target itself
        fix: name a third VM
      7:17: error: the observer 'b' is the target itself
        fix: name a third VM
      8:17: error: the observer 'a' is the sender itself
        fix: name a third VM
      """),
    Mistake("reachable alone") {
      Host("h") { VM("a").port(on: red) }
    } checks: {
      Reachable("a")
    }.gives(
      """
      3:16: error: there is no pair of VMs here
        fix: name at least two VMs
      """),
  ]

  @Test func `The checks survive JSON`() throws {
    let checks =
      [AllPairs(), AllPairs(on: "net")].map { Check($0) } + [Check(Reachable("a", "b"))]
    let decoded = try JSONDecoder().decode([Check].self, from: JSONEncoder().encode(checks))
    #expect(decoded == checks)
    #expect(decoded.map(\.value.title) == ["all pairs", "all pairs on net", "a, b reach each other"])
  }
}
