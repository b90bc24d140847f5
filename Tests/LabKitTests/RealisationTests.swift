import Testing
import Values

@testable import LabKit
@testable import LabModel

@Suite struct RealisationTests {
  private let host = "two-vms.compute-1"

  private func nodes() -> Blueprint {
    var blueprint = Blueprint()
    for node in ["compute-1", "focal-1", "focal-2"] {
      let namespace = "two-vms.\(node)"
      blueprint.namespaces.append(Namespace(name: namespace))
      blueprint.links.append(Link(namespace: namespace, name: "lo", kind: Loopback()))
      for scope in ["all", "default"] {
        blueprint.sysctls.append(
          Sysctl(namespace: namespace, key: "net.ipv6.conf.\(scope).disable_ipv6", value: "1"))
      }
      guard node == "compute-1" else { continue }
      blueprint.sysctls += [
        Sysctl(namespace: namespace, key: "net.ipv4.conf.default.arp_ignore", value: "1"),
        Sysctl(namespace: namespace, key: "net.ipv4.conf.default.arp_announce", value: "2"),
      ]
    }
    return blueprint
  }

  private func addAddresses(to blueprint: inout Blueprint) {
    for (vm, address) in [("focal-1", "192.168.21.52/24"), ("focal-2", "192.168.21.66/24")] {
      blueprint.addresses += [IPPrefix(address)].compactMap { $0 }
        .map { Address(namespace: "two-vms.\(vm)", device: "eth0", address: $0) }
    }
  }

  private func cable(_ vm: String, _ short: String, _ mac: String, pluggedInto bridge: String) -> [Link] {
    [
      Link(
        namespace: host, name: "tap\(short)", kind: Veth(peerNamespace: "two-vms.\(vm)", peer: "eth0"),
        mac: MACAddress("fe" + mac.dropFirst(2)), mtu: 1500, master: bridge,
        alias: "netlab/two-vms/tap-\(vm)", altnames: ["tap-\(vm)"]),
      Link(
        namespace: "two-vms.\(vm)", name: "eth0", kind: Veth(peerNamespace: host, peer: "tap\(short)"),
        mac: MACAddress(mac), mtu: 1500, alias: "netlab/two-vms/\(vm)/eth0"),
    ]
  }

  @Test func twoVMsHybrid() throws {
    var expected = nodes()
    expected.links.append(
      Link(
        namespace: host, name: "br-int",
        kind: Bridge(
          vlanFiltering: true, defaultPVID: 0, stp: false, forwardDelay: 0, multicastSnooping: false),
        mtu: 1500, alias: "netlab/two-vms/compute-1/br-int"))
    for (vm, short, mac) in [
      ("focal-1", "de4f2069-52", "fa:16:3e:50:1a:a3"), ("focal-2", "585e6e2e-a6", "fa:16:3e:e4:e8:04"),
    ] {
      expected.links += [
        Link(
          namespace: host, name: "qbr\(short)",
          kind: Bridge(
            defaultPVID: 0, stp: false, forwardDelay: 0, ageingTime: 0, multicastSnooping: false),
          mtu: 1500, alias: "netlab/two-vms/qbr-\(vm)", altnames: ["qbr-\(vm)"]),
        Link(
          namespace: host, name: "qvb\(short)", kind: Veth(peerNamespace: host, peer: "qvo\(short)"),
          mtu: 1500,
          master: "qbr\(short)", isPromiscuous: true, alias: "netlab/two-vms/qvb-\(vm)",
          altnames: ["qvb-\(vm)"]),
        Link(
          namespace: host, name: "qvo\(short)", kind: Veth(peerNamespace: host, peer: "qvb\(short)"),
          mtu: 1500,
          master: "br-int", isPromiscuous: true, alias: "netlab/two-vms/qvo-\(vm)", altnames: ["qvo-\(vm)"]),
      ]
      expected.links += cable(vm, short, mac, pluggedInto: "qbr\(short)")
      expected.vlans.append(
        BridgeVLAN(namespace: host, device: "qvo\(short)", vid: 1, isPVID: true, isUntagged: true))
    }
    addAddresses(to: &expected)
    #expect(try TwoVMs().resolved(.hybrid).blueprint().withoutOrigins.withoutOptions == expected)
  }

  @Test func twoVMsLinuxbridge() throws {
    var expected = nodes()
    expected.links.append(
      Link(
        namespace: host, name: "brq1b80dac9-ee",
        kind: Bridge(stp: false, forwardDelay: 0, multicastSnooping: false), mtu: 1500,
        alias: "netlab/two-vms/compute-1/int_net"))
    expected.links += cable("focal-1", "de4f2069-52", "fa:16:3e:50:1a:a3", pluggedInto: "brq1b80dac9-ee")
    expected.links += cable("focal-2", "585e6e2e-a6", "fa:16:3e:e4:e8:04", pluggedInto: "brq1b80dac9-ee")
    addAddresses(to: &expected)
    #expect(try TwoVMs().resolved(.linuxbridge).blueprint().withoutOrigins.withoutOptions == expected)
  }

  @Test func wantsWhatTheKernelGivesByItself() throws {
    for link in try TwoVMs().resolved(.hybrid).blueprint().links where !(link.kind is Loopback) {
      let onHost = link.namespace == host
      #expect(link.options[.transmitQueueLength] == 1000)
      #expect(link.options[.arpIgnore] == (onHost ? 1 : 0))
      #expect(link.options[.disableIPv6] == 1)
      #expect(link.options[.learning] == (link.master == nil ? nil : 1))
      #expect(link.options[.isolated] == (link.master == nil ? nil : 0))
    }
  }

  /// One line a link: namespace, name, kind, master, MTU.
  private func wiring(_ blueprint: Blueprint) -> [String] {
    blueprint.links.filter { !($0.kind is Loopback) }.map { link in
      let kind = link.kind is VLANSubinterface ? link.kind.description : link.kind.word
      return
        "\(link.namespace.dropFirst("everything.".count)) \(link.name): \(kind), \(link.master ?? "-"), \(link.mtu ?? 0)"
    }
  }

  @Test func everythingHybrid() throws {
    let blueprint = try Everything().resolved(.hybrid).blueprint()
    #expect(
      wiring(blueprint) == [
        "compute-1 br-int: bridge, -, 1400",
        "compute-2 br-int: bridge, -, 1400",
        "compute-1 qbra0000000-00: bridge, -, 1500",
        "compute-1 qvba0000000-00: veth, qbra0000000-00, 1500",
        "compute-1 qvoa0000000-00: veth, br-int, 1500",
        "compute-1 tapa0000000-00: veth, qbra0000000-00, 1500",
        "trunk eth0: veth, -, 1500",
        "compute-1 qbra1111111-00: bridge, -, 1400",
        "compute-1 qvba1111111-00: veth, qbra1111111-00, 1400",
        "compute-1 qvoa1111111-00: veth, br-int, 1400",
        "compute-1 tapa0000000.100: vlan 100 on tapa0000000-00, qbra1111111-00, 1400",
        "trunk eth0.100: vlan 100 on eth0, -, 1400",
        "compute-1 qbrb0000000-00: bridge, -, 1450",
        "compute-1 qvbb0000000-00: veth, qbrb0000000-00, 1450",
        "compute-1 qvob0000000-00: veth, br-int, 1450",
        "compute-1 tapb0000000-00: veth, qbrb0000000-00, 1450",
        "web eth0: veth, -, 1450",
        "compute-2 qbrc0000000-00: bridge, -, 1400",
        "compute-2 qvbc0000000-00: veth, qbrc0000000-00, 1400",
        "compute-2 qvoc0000000-00: veth, br-int, 1400",
        "compute-2 tapc0000000-00: veth, qbrc0000000-00, 1400",
        "db eth0: veth, -, 1400",
      ])
    #expect(
      blueprint.vlans.map { "\($0.namespace) \($0.device) \($0.text)" } == [
        "everything.compute-1 qvoa0000000-00 1 PVID Egress Untagged",
        "everything.compute-1 qvoa1111111-00 2 PVID Egress Untagged",
        "everything.compute-1 qvob0000000-00 1 PVID Egress Untagged",
        // The second host counts for itself.
        "everything.compute-2 qvoc0000000-00 1 PVID Egress Untagged",
      ])
  }

  @Test func everythingLinuxbridge() throws {
    let blueprint = try Everything().resolved(.linuxbridge).blueprint()
    #expect(
      wiring(blueprint) == [
        "compute-1 brqf0000000-00: bridge, -, 1450",
        "compute-1 brqf0000000-11: bridge, -, 1400",
        "compute-2 brqf0000000-11: bridge, -, 1400",
        "compute-1 tapa0000000-00: veth, brqf0000000-00, 1500",
        "trunk eth0: veth, -, 1500",
        "compute-1 tapa0000000.100: vlan 100 on tapa0000000-00, brqf0000000-11, 1400",
        "trunk eth0.100: vlan 100 on eth0, -, 1400",
        "compute-1 tapb0000000-00: veth, brqf0000000-00, 1450",
        "web eth0: veth, -, 1450",
        "compute-2 tapc0000000-00: veth, brqf0000000-11, 1400",
        "db eth0: veth, -, 1400",
      ])
    #expect(blueprint.vlans.isEmpty)
  }

  @Test func addressesAndRoutes() throws {
    let blueprint = try Everything().resolved(.hybrid).blueprint()
    #expect(
      blueprint.addresses.map { "\($0.namespace) \($0.device) \($0.address)" } == [
        "everything.trunk eth0 10.1.0.2/24", "everything.trunk eth0 fd01::2/64",
        "everything.trunk eth0.100 10.2.0.9/24",
        "everything.web eth0 10.1.0.3/24", "everything.web eth0 fd01::3/64", "everything.db eth0 10.2.0.2/24",
      ])
    // The on-link route comes before those that need a gateway.
    #expect(
      blueprint.routes.map { "\($0.destination) \($0.gateway.map(\.description) ?? "-") \($0.device ?? "-")" }
        == [
          "10.7.0.0/16 - eth0", "0.0.0.0/0 10.1.0.1 eth0", "::/0 fe80::1 eth0",
          "10.8.0.0/16 10.2.0.1 eth0.100",
        ])
    let sysctls = blueprint.sysctls.filter { $0.key.hasSuffix("all.disable_ipv6") && $0.value == "1" }
      .map(\.namespace)
    #expect(sysctls == ["everything.compute-1", "everything.compute-2", "everything.db"])
    // The subinterface in the VM has its parent's MAC; hosts' ends have fe in front.
    let macs = Dictionary(grouping: blueprint.links.filter { $0.mac != nil }, by: \.namespace)
    #expect(
      macs["everything.trunk"]?.map { "\($0.name) \($0.mac.map(\.description) ?? "")" } == [
        "eth0 fa:16:3e:00:00:01", "eth0.100 fa:16:3e:00:00:01",
      ])
    #expect(
      macs["everything.compute-1"]?.map { $0.mac?.description ?? "" } == [
        "fe:16:3e:00:00:01", "fe:16:3e:00:00:02",
      ])
  }

  @Test(arguments: Datapath.allCases)
  func namesFitTheKernel(datapath: Datapath) throws {
    struct Long: Lab {
      static var name: String { String(repeating: "l", count: 63) }
      var topology: some Topology {
        let other = Network(String(repeating: "n", count: 63), subnet: "10.1.0.0/24")
        Host(String(repeating: "h", count: 63)) {
          VM(String(repeating: "v", count: 63)).port(
            on: Network("net", subnet: "10.0.0.0/24"), device: "ten-letter"
          ) {
            Subport(on: other, vlan: 4094)
          }
        }
      }
    }
    let blueprint = try Long().resolved(datapath).blueprint()
    #expect(!blueprint.links.isEmpty)
    for link in blueprint.links {
      #expect(link.name.utf8.count <= 15)
      #expect(link.altnames.allSatisfy { $0.utf8.count <= 127 })
      #expect(link.alias?.utf8.count ?? 0 <= 255)
      #expect(link.namespace.utf8.count <= 255)
    }
    // Names, altnames and keys are unique in their namespace.
    let names = blueprint.links.flatMap { link in
      ([link.name] + link.altnames).map { "\(link.namespace) \($0)" }
    }
    #expect(Set(names).count == names.count)
  }

  @Test func oneTagForTwoSubnets() throws {
    struct TwoSubnets: Lab {
      let net = Network("net", subnets: ["10.0.1.0/24", "10.0.2.0/24"])
      var topology: some Topology {
        Host("h") {
          VM("left").port(on: net, ip: "10.0.1.10")
          VM("right").port(on: net, ip: "10.0.2.10")
        }
      }
    }
    let hybrid = try TwoSubnets().resolved(.hybrid).blueprint()
    #expect(hybrid.vlans.map(\.vid) == [1, 1])
    let bridges = try TwoSubnets().resolved(.linuxbridge).blueprint().links.filter {
      $0.kind.word == "bridge"
    }
    #expect(bridges.count == 1)
  }
}
