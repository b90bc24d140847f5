import Testing
import Values

@testable import LabKit
@testable import LabModel

@Suite struct PlanTests {
  private func up(_ lab: some Lab, _ datapath: Datapath) throws -> Plan {
    Plan(from: Blueprint(), to: try lab.resolved(datapath).blueprint())
  }

  @Test func twoVMsHybrid() throws {
    let commands = try up(TwoVMs(), .hybrid).commands.joined(separator: "\n")
    #expect(
      commands == """
        ip netns add two-vms.compute-1
        ip netns add two-vms.focal-1
        ip netns add two-vms.focal-2
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv4.conf.default.arp_ignore=1
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv4.conf.default.arp_announce=2
        ip netns exec two-vms.focal-1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip netns exec two-vms.focal-2 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip -n two-vms.compute-1 link add name br-int mtu 1500 type bridge vlan_filtering 1 vlan_default_pvid 0 stp_state 0 forward_delay 0 mcast_snooping 0
        ip -n two-vms.compute-1 link add name qbrde4f2069-52 mtu 1500 type bridge vlan_default_pvid 0 stp_state 0 forward_delay 0 ageing_time 0 mcast_snooping 0
        ip -n two-vms.compute-1 link add name qbr585e6e2e-a6 mtu 1500 type bridge vlan_default_pvid 0 stp_state 0 forward_delay 0 ageing_time 0 mcast_snooping 0
        ip -n two-vms.compute-1 link add name qvbde4f2069-52 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name qvode4f2069-52 netns two-vms.compute-1 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev qvbde4f2069-52 master qbrde4f2069-52 promisc on up
        ip -n two-vms.compute-1 link add name tapde4f2069-52 address fe:16:3e:50:1a:a3 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns two-vms.focal-1 address fa:16:3e:50:1a:a3 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev tapde4f2069-52 master qbrde4f2069-52 up
        ip -n two-vms.compute-1 link add name qvb585e6e2e-a6 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name qvo585e6e2e-a6 netns two-vms.compute-1 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev qvb585e6e2e-a6 master qbr585e6e2e-a6 promisc on up
        ip -n two-vms.compute-1 link add name tap585e6e2e-a6 address fe:16:3e:e4:e8:04 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns two-vms.focal-2 address fa:16:3e:e4:e8:04 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev tap585e6e2e-a6 master qbr585e6e2e-a6 up
        ip -n two-vms.compute-1 link set dev lo up
        ip -n two-vms.focal-1 link set dev lo up
        ip -n two-vms.focal-2 link set dev lo up
        ip -n two-vms.compute-1 link set dev qvode4f2069-52 master br-int promisc on alias netlab/two-vms/qvo-focal-1 up
        ip -n two-vms.focal-1 link set dev eth0 alias netlab/two-vms/focal-1/eth0 up
        ip -n two-vms.compute-1 link set dev qvo585e6e2e-a6 master br-int promisc on alias netlab/two-vms/qvo-focal-2 up
        ip -n two-vms.focal-2 link set dev eth0 alias netlab/two-vms/focal-2/eth0 up
        ip -n two-vms.compute-1 link set dev br-int alias netlab/two-vms/compute-1/br-int
        ip -n two-vms.compute-1 link set dev qbrde4f2069-52 alias netlab/two-vms/qbr-focal-1
        ip -n two-vms.compute-1 link set dev qvbde4f2069-52 alias netlab/two-vms/qvb-focal-1
        ip -n two-vms.compute-1 link set dev tapde4f2069-52 alias netlab/two-vms/tap-focal-1
        ip -n two-vms.compute-1 link set dev qbr585e6e2e-a6 alias netlab/two-vms/qbr-focal-2
        ip -n two-vms.compute-1 link set dev qvb585e6e2e-a6 alias netlab/two-vms/qvb-focal-2
        ip -n two-vms.compute-1 link set dev tap585e6e2e-a6 alias netlab/two-vms/tap-focal-2
        ip -n two-vms.compute-1 link property add dev qbrde4f2069-52 altname qbr-focal-1
        ip -n two-vms.compute-1 link property add dev qvbde4f2069-52 altname qvb-focal-1
        ip -n two-vms.compute-1 link property add dev qvode4f2069-52 altname qvo-focal-1
        ip -n two-vms.compute-1 link property add dev tapde4f2069-52 altname tap-focal-1
        ip -n two-vms.compute-1 link property add dev qbr585e6e2e-a6 altname qbr-focal-2
        ip -n two-vms.compute-1 link property add dev qvb585e6e2e-a6 altname qvb-focal-2
        ip -n two-vms.compute-1 link property add dev qvo585e6e2e-a6 altname qvo-focal-2
        ip -n two-vms.compute-1 link property add dev tap585e6e2e-a6 altname tap-focal-2
        bridge -n two-vms.compute-1 vlan add dev qvode4f2069-52 vid 1 pvid untagged
        bridge -n two-vms.compute-1 vlan add dev qvo585e6e2e-a6 vid 1 pvid untagged
        ip -n two-vms.compute-1 link set dev br-int up
        ip -n two-vms.compute-1 link set dev qbrde4f2069-52 up
        ip -n two-vms.compute-1 link set dev qbr585e6e2e-a6 up
        ip -n two-vms.focal-1 address add 192.168.21.52/24 dev eth0
        ip -n two-vms.focal-2 address add 192.168.21.66/24 dev eth0
        """)
  }

  @Test func twoVMsLinuxbridge() throws {
    let commands = try up(TwoVMs(), .linuxbridge).commands.joined(separator: "\n")
    #expect(
      commands == """
        ip netns add two-vms.compute-1
        ip netns add two-vms.focal-1
        ip netns add two-vms.focal-2
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv4.conf.default.arp_ignore=1
        ip netns exec two-vms.compute-1 sysctl -qw net.ipv4.conf.default.arp_announce=2
        ip netns exec two-vms.focal-1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip netns exec two-vms.focal-2 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip -n two-vms.compute-1 link add name brq1b80dac9-ee mtu 1500 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
        ip -n two-vms.compute-1 link add name tapde4f2069-52 address fe:16:3e:50:1a:a3 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns two-vms.focal-1 address fa:16:3e:50:1a:a3 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev tapde4f2069-52 master brq1b80dac9-ee up
        ip -n two-vms.compute-1 link add name tap585e6e2e-a6 address fe:16:3e:e4:e8:04 mtu 1500 numtxqueues 1 numrxqueues 1 type veth peer name eth0 netns two-vms.focal-2 address fa:16:3e:e4:e8:04 mtu 1500 numtxqueues 1 numrxqueues 1
        ip -n two-vms.compute-1 link set dev tap585e6e2e-a6 master brq1b80dac9-ee up
        ip -n two-vms.compute-1 link set dev lo up
        ip -n two-vms.focal-1 link set dev lo up
        ip -n two-vms.focal-2 link set dev lo up
        ip -n two-vms.focal-1 link set dev eth0 alias netlab/two-vms/focal-1/eth0 up
        ip -n two-vms.focal-2 link set dev eth0 alias netlab/two-vms/focal-2/eth0 up
        ip -n two-vms.compute-1 link set dev brq1b80dac9-ee alias netlab/two-vms/compute-1/int_net
        ip -n two-vms.compute-1 link set dev tapde4f2069-52 alias netlab/two-vms/tap-focal-1
        ip -n two-vms.compute-1 link set dev tap585e6e2e-a6 alias netlab/two-vms/tap-focal-2
        ip -n two-vms.compute-1 link property add dev tapde4f2069-52 altname tap-focal-1
        ip -n two-vms.compute-1 link property add dev tap585e6e2e-a6 altname tap-focal-2
        ip -n two-vms.compute-1 link set dev brq1b80dac9-ee up
        ip -n two-vms.focal-1 address add 192.168.21.52/24 dev eth0
        ip -n two-vms.focal-2 address add 192.168.21.66/24 dev eth0
        """)
  }

  @Test(arguments: Datapath.allCases)
  func down(datapath: Datapath) throws {
    let blueprint = try TwoVMs().resolved(datapath).blueprint()
    // A namespace takes all with it; nothing in it needs a step of its own.
    #expect(
      Plan(from: blueprint, to: Blueprint()).commands == [
        "ip netns delete two-vms.compute-1", "ip netns delete two-vms.focal-1",
        "ip netns delete two-vms.focal-2",
      ])
  }

  @Test func removingAVMLeavesTheRestAlone() throws {
    struct OneVM: Lab {
      static var name: String { "two-vms" }
      let all = TwoVMs()
      var topology: some Topology {
        Host("compute-1") {
          all.focal1.port(
            on: all.intNet, ip: "192.168.21.52", mac: "fa:16:3e:50:1a:a3",
            id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2")
        }
      }
    }
    let plan = try Plan(
      from: TwoVMs().resolved(.hybrid).blueprint(), to: OneVM().resolved(.hybrid).blueprint())
    #expect(
      plan.commands == [
        "ip -n two-vms.compute-1 link delete dev qbr585e6e2e-a6",
        "ip -n two-vms.compute-1 link delete dev qvb585e6e2e-a6",
        "ip -n two-vms.compute-1 link delete dev tap585e6e2e-a6",
        "ip netns delete two-vms.focal-2",
      ])
  }

  @Test(arguments: Datapath.allCases)
  func isInAnOrderThatTheKernelTakes(datapath: Datapath) throws {
    let plan = try up(Everything(), datapath)
    let words = plan.lists.flatMap(\.erased).map { step in
      switch step {
      case Namespace.Step.add: "namespace"
      case LinkStep.add(let link): link.kind.word
      case LinkStep.addPair: "cable"
      case LinkStep.change(let change) where change.isUp == true:
        change.name.hasPrefix("br") ? "bridge up" : change.name.hasPrefix("qbr") ? "qbr up" : "end up"
      case BridgeVLAN.Step.add: "bridge vlan"
      case Address.Step.add: "address"
      case RouteEntry.Step.add: "route"
      default: "other"
      }
    }
    let order = [
      "namespace", "bridge", "cable", "end up", "vlan", "bridge vlan", "bridge up", "address", "route",
    ]
    .filter { $0 != "bridge vlan" || datapath == .hybrid }
    for (first, second) in zip(order, order.dropFirst()) {
      #expect(
        try #require(words.lastIndex(of: first)) < #require(words.firstIndex(of: second)),
        "\(first), \(second)")
    }
    let routes = plan.commands.filter { $0.contains(" route add ") }
    #expect(
      routes == [
        "ip -n everything.trunk route add 10.7.0.0/16 dev eth0",
        "ip -n everything.trunk route add default via 10.1.0.1 dev eth0",
        "ip -n everything.trunk route add ::/0 via fe80::1 dev eth0",
        "ip -n everything.trunk route add 10.8.0.0/16 via 10.2.0.1 dev eth0.100",
      ])
  }

  @Test func repairsInPlace() throws {
    let wanted = try Everything().resolved(.hybrid).blueprint()
    func repair(_ mutate: (inout Blueprint) -> Void) -> [String] {
      var observed = wanted
      mutate(&observed)
      return Plan(from: observed, to: wanted).commands
    }
    let tap = try #require(wanted.links.firstIndex { $0.name == "tapa0000000-00" })
    let integration = try #require(wanted.links.firstIndex { $0.name == "br-int" })
    let host = "everything.compute-1"
    #expect(
      repair {
        $0.links[tap].mtu = 1000
        $0.links[tap].isUp = false
        $0.links[tap].master = nil
      } == ["ip -n \(host) link set dev tapa0000000-00 mtu 1500 master qbra0000000-00 up"])
    #expect(
      repair { $0.links[tap].master = "other" } == [
        "ip -n \(host) link set dev tapa0000000-00 master qbra0000000-00"
      ])
    #expect(repair { $0.links[integration].master = "x" } == ["ip -n \(host) link set dev br-int nomaster"])
    #expect(
      repair {
        $0.links[integration].kind = Bridge(
          vlanFiltering: false, defaultPVID: 1, stp: false, forwardDelay: 0, multicastSnooping: false)
      } == ["ip -n \(host) link set dev br-int type bridge vlan_filtering 1 vlan_default_pvid 0"])
    #expect(
      repair { $0.links[tap].altnames = ["it's", "tap-web"] } == [
        "ip -n \(host) link property del dev tapa0000000-00 altname 'it'\\''s'",
        "ip -n \(host) link property del dev tapa0000000-00 altname tap-web",
        "ip -n \(host) link property add dev tapa0000000-00 altname tap-trunk",
      ])
    #expect(
      repair { $0.vlans[0].isPVID = false } == [
        "bridge -n \(host) vlan add dev qvoa0000000-00 vid 1 pvid untagged"
      ])
    #expect(
      repair { $0.vlans[0].vid = 9 } == [
        "bridge -n \(host) vlan delete dev qvoa0000000-00 vid 9",
        "bridge -n \(host) vlan add dev qvoa0000000-00 vid 1 pvid untagged",
      ])
    #expect(
      repair { $0.routes[1].gateway = IPAddress("10.1.0.9") } == [
        "ip -n everything.trunk route delete default via 10.1.0.9 dev eth0",
        "ip -n everything.trunk route add default via 10.1.0.1 dev eth0",
      ])
    #expect(
      repair { $0.addresses.removeAll { $0.address.family == .ipv6 } } == [
        "ip -n everything.trunk address add fd01::2/64 dev eth0 nodad",
        "ip -n everything.web address add fd01::3/64 dev eth0 nodad",
      ])
    #expect(
      repair { $0.sysctls[0].value = "0" } == [
        "ip netns exec \(host) sysctl -qw net.ipv6.conf.all.disable_ipv6=1"
      ])
    #expect(
      repair {
        $0.links.append(Link(namespace: host, name: "$(reboot)", kind: ForeignLink("dummy")))
        $0.addresses.append(
          Address(
            namespace: host, device: "$(reboot)",
            address: IPPrefix(address: IPAddress(family: .ipv4, value: 1), length: 8)))
      } == ["ip -n \(host) link delete dev '$(reboot)'"])
    for (table, command) in [
      (TableEntry.Table.neighbour, "ip -n \(host) neighbour"), (.forwarding, "bridge -n \(host) fdb"),
      (.rule, "ip -n \(host) rule"), (.qdisc, "tc -n \(host) qdisc"),
    ] {
      let entry = TableEntry(namespace: host, table: table, words: "words", message: [], device: nil)
      #expect(repair { $0.entries = [entry] } == ["\(command) delete words"])
    }
  }

  @Test func replacesWhatCannotBeChanged() throws {
    let wanted = try TwoVMs().resolved(.hybrid).blueprint()
    var observed = wanted
    let tap = try #require(observed.links.firstIndex { $0.name.hasPrefix("tap") })
    // Renamed by hand: the tap is missing, another device is there, and the VM's end belongs to that one.
    observed.links[tap].name = "renamed"
    observed.links[tap + 1].kind = Veth(peerNamespace: "two-vms.compute-1", peer: "renamed")
    let plan = Plan(from: observed, to: wanted)
    // The pair goes once, and everything that went with it comes back in the same plan.
    let deletions = plan.commands.filter { $0.contains(" delete ") }
    #expect(deletions == ["ip -n two-vms.compute-1 link delete dev renamed"])
    var kernel = Simulator(observed)
    try kernel.apply(plan)
    #expect(wanted.difference(from: kernel.state).isEmpty)
  }
}
