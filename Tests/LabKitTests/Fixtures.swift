import Values

@testable import LabKit
@testable import LabModel

/// The lab that ships as Labs/TwoVMs.swift.
struct TwoVMs: Lab {
  let intNet = Network("int_net", subnet: "192.168.21.0/24", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
  let focal1 = VM("focal-1")
  let focal2 = VM("focal-2")

  var topology: some Topology {
    Host("compute-1") {
      focal1.port(
        on: intNet, ip: "192.168.21.52", mac: "fa:16:3e:50:1a:a3", id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2")
      focal2.port(
        on: intNet, ip: "192.168.21.66", mac: "fa:16:3e:e4:e8:04", id: "585e6e2e-a699-4aa8-b6b0-4d5e2fd66e06")
    }
  }
}

/// A VM with a VLAN subport on another network, routes, two hosts, IPv6, several MTUs.
struct Everything: Lab {
  let front = Network(
    "front", subnets: ["10.1.0.0/24", "fd01::/64"], id: "f0000000-0000-4000-8000-000000000001")
  let back = Network("back", subnet: "10.2.0.0/24", mtu: 1400, id: "f0000000-1111-4000-8000-000000000002")
  let trunk = VM("trunk")
  let web = VM("web")
  let db = VM("db")

  var topology: some Topology {
    Host("compute-1") {
      trunk.port(
        on: front, mac: "fa:16:3e:00:00:01", id: "a0000000-0000-4000-8000-000000000001",
        routes: [.default(via: "10.1.0.1"), .onLink("10.7.0.0/16"), .default(via: "fe80::1")]
      ) {
        Subport(
          on: back, vlan: 100, ip: "10.2.0.9", id: "a1111111-0000-4000-8000-000000000002",
          routes: [.to("10.8.0.0/16", via: "10.2.0.1")])
      }
      web.port(on: front, mac: "fa:16:3e:00:00:02", id: "b0000000-0000-4000-8000-000000000003", mtu: 1450)
    }
    Host("compute-2") {
      db.port(on: back, mac: "fa:16:3e:00:00:03", id: "c0000000-0000-4000-8000-000000000004")
    }
  }
}

extension Lab {
  func resolved(_ datapath: Datapath) throws -> ResolvedLab {
    var document = try LabDocument(of: self, settings: [])
    document.datapath = datapath
    return try document.resolved()
  }
}

extension Blueprint {
  /// The blueprint without the attributes of links that the kernel gives by itself.
  var withoutOptions: Blueprint {
    var blueprint = self
    for index in links.indices { blueprint.links[index].options = [:] }
    return blueprint
  }

  /// The same objects without the places that declared them, to compare with what is written in a test.
  var withoutOrigins: Blueprint {
    func bare<Value>(_ values: [Value], _ origin: WritableKeyPath<Value, LabKit.SourceLocation?>) -> [Value] {
      values.map {
        var value = $0
        value[keyPath: origin] = nil
        return value
      }
    }
    var blueprint = Blueprint()
    blueprint.namespaces = bare(namespaces, \.origin)
    blueprint.sysctls = bare(sysctls, \.origin)
    blueprint.links = bare(links, \.origin)
    blueprint.vlans = bare(vlans, \.origin)
    blueprint.addresses = bare(addresses, \.origin)
    blueprint.routes = bare(routes, \.origin)
    blueprint.qdiscs = bare(qdiscs, \.origin)
    return blueprint
  }
}

extension LabDocument {
  var vms: [VM] { nodes.compactMap { $0.declaration as? VM } }
  var hosts: [Host] { nodes.compactMap { $0.declaration as? Host } }

  /// Changes the nodes of a kind, one after the other.
  mutating func change<Kind: NodeDeclaration>(_: Kind.Type, _ changes: ((inout Kind) -> Void)...) {
    var changes = changes[...]
    for index in nodes.indices {
      guard var node = nodes[index].declaration as? Kind, let change = changes.popFirst() else { continue }
      change(&node)
      nodes[index].declaration = node
    }
  }
}
