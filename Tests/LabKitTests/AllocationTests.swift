import Testing
import Values

@testable import LabKit
@testable import LabModel

/// What is chosen where the author leaves it open.
@Suite struct AllocationTests {
  private func resolve(@TopologyBuilder _ topology: () -> TopologyGroup) throws -> ResolvedLab {
    var document = LabDocument(name: "lab")
    document.add(topology().declarations, host: nil)
    return try document.resolved()
  }

  private func ports(_ lab: ResolvedLab) -> [String] {
    lab.vms.flatMap { vm in
      vm.allPorts.map { port in
        let addresses = port.addresses.map(\.description).joined(separator: " ")
        return "\(vm.name) \(port.device) \(addresses) \(port.mac) \(port.id)"
      }
    }
  }

  @Test func isTheSameEachTime() throws {
    let lab = try resolve {
      let net = Network("net", subnets: ["10.0.0.0/24", "fd00::/64"])
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        VM("a").port(on: net) { Subport(on: other, vlan: 7) }
        VM("b").port(on: net)
      }
    }
    // Literal, so that a change of the hash, which would rename every device of every lab, is seen.
    #expect(
      ports(lab) == [
        "a eth0 10.0.0.2/24 fd00::2/64 fa:16:3e:d7:7e:4c c6ba69bf-59f4-88a7-a486-f06aa65fe893",
        "a eth0.7 10.1.0.2/24 fa:16:3e:d7:7e:4c 51e7bbc7-eea1-8a33-a1c0-79b92334c73c",
        "b eth0 10.0.0.3/24 fd00::3/64 fa:16:3e:fa:38:23 dd5956da-6ce7-8618-93fd-0f023f901749",
      ])
    #expect(
      lab.networks.map(\.id)
        == ["1130ef1d-1076-87db-b6fa-69e59d02592e", "8309e4eb-cb02-85bc-bcf1-1453d29eac9c"])
  }

  @Test(arguments: [
    ("10.0.0.0/24", ["10.0.0.2", "10.0.0.3", "10.0.0.4"]),
    ("10.0.0.0/29", ["10.0.0.2", "10.0.0.3", "10.0.0.4"]),
    ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]), ("10.0.0.6/31", ["10.0.0.6", "10.0.0.7"]),
    ("10.0.0.9/32", ["10.0.0.9"]), ("fd00::/64", ["fd00::2", "fd00::3"]),
    ("fd00::/126", ["fd00::1", "fd00::2", "fd00::3"]),
    ("fd00::6/127", ["fd00::6", "fd00::7"]), ("fd00::9/128", ["fd00::9"]),
    ("2000::/4", ["2000::2", "2000::3"]), ("1.0.0.0/8", ["1.0.0.2"]),
    ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", ["fdff:ffff:ffff:ffff:ffff:ffff:ffff:ff02"]),
  ])
  func beginsBehindTheGateway(subnet: String, expected: [String]) throws {
    let lab = try resolve {
      let net = Network("net", subnet: subnet)
      Host("h") { for index in expected.indices { VM("vm-\(index)").port(on: net) } }
    }
    #expect(lab.vms.map { $0.ports[0].addresses[0].address.description } == expected)
  }

  @Test func neverChoosesWhatIsGiven() throws {
    let chosen = try resolve {
      Host("h") { VM("a").port(on: Network("net", subnet: "10.0.0.0/29")) }
    }.vms[0].ports[0]
    // The second port is given exactly what the first would have been given.
    let lab = try resolve {
      let net = Network("net", subnet: "10.0.0.0/29")
      let a = VM("a")
      Host("h") {
        a.port(on: net)
        VM("b").port(on: net, ip: "\(chosen.addresses[0].address)", mac: "\(chosen.mac)", id: chosen.id)
        a.port(on: net, device: "eth0")
        VM("c").port(on: net, ip: "10.0.0.5")
        VM("d").port(on: net)
      }
    }
    #expect(lab.vms.flatMap(\.ports).map(\.device) == ["eth1", "eth0", "eth0", "eth0", "eth0"])
    #expect(
      lab.vms.flatMap(\.ports).map { $0.addresses[0].address.description }
        == ["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.5", "10.0.0.6"])
    let all = lab.vms.flatMap(\.ports)
    #expect(Set(all.map(\.mac)).count == all.count)
    #expect(Set(all.map(\.shortID)).count == all.count)
  }

  @Test func takesTheNextSubnetWhenOneIsFull() throws {
    let lab = try resolve {
      let net = Network("net", subnets: ["10.0.0.0/30", "10.0.1.0/24"])
      Host("h") { for index in 1...4 { VM("vm-\(index)").port(on: net) } }
    }
    #expect(
      lab.vms.map { $0.ports[0].addresses[0].description } == [
        "10.0.0.1/30", "10.0.0.2/30", "10.0.1.2/24", "10.0.1.3/24",
      ])
  }

  @Test func staysWhenSomethingIsAddedAtTheEnd() throws {
    func build(_ count: Int) throws -> ResolvedLab {
      try resolve {
        let net = Network("net", subnets: ["10.0.0.0/16", "fd00::/64"])
        let other = Network("other", subnet: "10.1.0.0/16")
        Host("h") {
          for index in 1...count {
            VM("vm-\(index)").port(on: net) { if index.isMultiple(of: 3) { Subport(on: other, vlan: index) } }
          }
          if count > 30 { VM("new").port(on: Network("third", subnet: "10.3.0.0/24")) }
        }
      }
    }
    let (before, after) = (try build(30), try build(40))
    #expect(ports(after).starts(with: ports(before)))
    #expect(after.hosts[0].tags.filter { $0.key < 2 } == before.hosts[0].tags)
    #expect(Set(after.vms.flatMap(\.ports).map(\.mac)).count == 41)
  }

  @Test func tagsBelongToNetworksOnHosts() throws {
    let lab = try resolve {
      let red = Network("red", subnets: ["10.0.0.0/24", "10.0.9.0/24"])
      let blue = Network("blue", subnet: "10.1.0.0/24")
      let green = Network("green", subnet: "10.2.0.0/24")
      let a = VM("a")
      Host("h1") {
        a.port(on: red) { Subport(on: blue, vlan: 4000) }
        VM("b").port(on: green)
        a.port(on: red)
        VM("c").port(on: blue)
      }
      Host("h2") {
        VM("d").port(on: green)
        VM("e").port(on: red)
      }
      Host("h3") {}
    }
    #expect(lab.networks.map(\.name) == ["red", "blue", "green"])
    #expect(lab.hosts.map(\.tags) == [[0: 1, 1: 2, 2: 3], [2: 1, 0: 2], [:]])
  }
}
