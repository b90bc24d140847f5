import Foundation
import LabKit
import Netlink
import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// One attribute after the other is changed by hand: each is found by name, and repaired in place.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized, .timeLimit(.minutes(5)))
struct DriftTests {
  struct Mutation: Sendable {
    /// For bash, with the names of ``Bench``.
    let script: String
    /// What the summary of one of the changes says.
    let expected: String
    /// Whether it takes away a device, which then cannot be the same one afterwards.
    var deletes = false
    /// Takes away what somebody else's was needed for it.
    var afterwards = ""

    init(_ script: String, _ expected: String, deletes: Bool = false, afterwards: String = "") {
      (self.script, self.expected, self.deletes, self.afterwards) = (script, expected, deletes, afterwards)
    }
  }

  /// Of one VM's devices, while two others talk.
  static let ofOneVM: [Mutation] = [
    Mutation("ip -n $H link set $T down", "state is down, should be up"),
    Mutation("ip -n $V link set eth0 down", "state is down, should be up"),
    Mutation("ip -n $V link set lo down", "loopback lo in"),
    Mutation(
      "ip -n $H link set $T down; ip -n $H link set $T name foo; ip -n $H link set foo up", "name is foo"),
    Mutation(
      "ip -n $V link set eth0 down; ip -n $V link set eth0 name net7; ip -n $V link set net7 up",
      "name is net7"),
    Mutation("ip -n $H link set $T address 02:00:00:00:00:77", "address is 02:00:00:00:00:77"),
    Mutation("ip -n $V link set eth0 address 02:00:00:00:00:77", "address is 02:00:00:00:00:77"),
    Mutation("ip -n $H link set $T mtu 1300", "mtu is 1300, should be 1500"),
    Mutation("ip -n $V link set eth0 mtu 9000", "mtu is 9000, should be 1500"),
    Mutation("ip -n $H link set $T nomaster", "master is none"),
    Mutation(
      "ip -n $H link add other type bridge; ip -n $H link set $T master other", "master is other",
      afterwards: "ip -n $H link delete other"),
    Mutation("ip -n $H link set $T alias mine", "alias is mine"),
    Mutation("ip -n $H link set $T alias ''", "alias is none"),
    Mutation("ip -n $V link set eth0 alias ''", "alias is none"),
    Mutation("ip -n $V link set lo alias ''", "loopback lo in"),
    Mutation("ip -n $V link property del dev lo altname netlab-$TOKEN", "loopback lo in"),
    Mutation("ip -n $H link property del dev $T altname tap-vm-1", "altname is none"),
    Mutation("ip -n $H link property add dev $T altname more", "altname is more, tap-vm-1"),
    Mutation("ip -n $H link set $T promisc on", "promisc is on"),
    Mutation("ip -n $V link set eth0 promisc on", "promisc is on"),
    Mutation("ip -n $H link set $T txqueuelen 77", "txqueuelen is 77, should be 1000"),
    Mutation("ip -n $H link set $T group 7", "group is 7, should be 0"),
    Mutation("bridge -n $H link set dev $T learning off", "learning is 0, should be 1"),
    Mutation("bridge -n $H link set dev $T flood off", "flood is 0"),
    Mutation("bridge -n $H link set dev $T mcast_flood off", "mcast_flood is 0"),
    Mutation("bridge -n $H link set dev $T bcast_flood off", "bcast_flood is 0"),
    Mutation("bridge -n $H link set dev $T hairpin on", "hairpin is 1"),
    Mutation("bridge -n $H link set dev $T guard on", "guard is 1"),
    Mutation("bridge -n $H link set dev $T root_block on", "root_block is 1"),
    Mutation("bridge -n $H link set dev $T isolated on", "isolated is 1"),
    Mutation("bridge -n $H link set dev $T neigh_suppress on", "neigh_suppress is 1"),
    Mutation("bridge -n $H link set dev $T locked on", "locked is 1"),
    Mutation("bridge -n $H link set dev $T cost 50", "cost is 50, should be 2"),
    Mutation("bridge -n $H link set dev $T priority 16", "priority is 16, should be 32"),
    Mutation("bridge -n $H link set dev $T state 0", "state is 0, should be 3"),
    Mutation("ip netns exec $H sysctl -qw net.ipv4.conf.$T.arp_ignore=0", "arp_ignore is 0, should be 1"),
    Mutation("ip netns exec $H sysctl -qw net.ipv4.conf.$T.arp_announce=0", "arp_announce is 0, should be 2"),
    Mutation("ip netns exec $H sysctl -qw net.ipv4.conf.$T.proxy_arp=1", "proxy_arp is 1"),
    Mutation("ip netns exec $V sysctl -qw net.ipv4.conf.eth0.arp_filter=1", "arp_filter is 1"),
    Mutation("ip netns exec $V sysctl -qw net.ipv4.conf.eth0.arp_accept=1", "arp_accept is 1"),
    Mutation(
      "ip netns exec $V sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0", "disable_ipv6 is 0, should be 1"),
    Mutation(
      "ip netns exec $V sysctl -qw net.ipv6.conf.all.disable_ipv6=0", "sysctl net.ipv6.conf.all.disable_ipv6"),
    Mutation("ip netns exec $H sysctl -qw net.ipv4.conf.default.arp_ignore=0", "arp_ignore in"),
    Mutation("ip -n $V address flush dev eth0", "missing: address"),
    Mutation("ip -n $V address add 10.9.9.9/24 dev eth0", "unexpected: address 10.9.9.9/24"),
    Mutation(
      "A=$(ip -n $V -o -4 address show dev eth0 | awk '{print $4}'); ip -n $V address delete $A dev eth0; "
        + "ip -n $V address add ${A%/*}/24 dev eth0", "unexpected: address"),
    Mutation("ip -n $V route delete 10.77.0.0/16", "missing: route 10.77.0.0/16"),
    Mutation("ip -n $V route add 10.78.0.0/16 dev eth0", "unexpected: route 10.78.0.0/16"),
    Mutation("ip -n $V route add blackhole 10.79.0.0/16", "unexpected: route 10.79.0.0/16"),
    Mutation("ip -n $V route replace 10.77.0.0/16 via 10.0.0.3 dev eth0", "path is via 10.0.0.3"),
    Mutation(
      "ip -n $V neighbour replace 10.0.0.99 lladdr 02:00:00:00:00:77 dev eth0 nud permanent",
      "unexpected: neighbour 10.0.0.99 lladdr 02:00:00:00:00:77 dev eth0 nud permanent"),
    Mutation(
      "bridge -n $H fdb add 02:00:00:00:00:77 dev $T master static",
      "unexpected: forwarding entry 02:00:00:00:00:77 dev"),
    Mutation("bridge -n $H fdb add 02:00:00:00:00:78 dev $T master permanent", "master permanent"),
    Mutation("bridge -n $H fdb add 02:00:00:00:00:79 dev $B self permanent", "self permanent"),
    Mutation("tc -n $V qdisc add dev eth0 root pfifo limit 9", "unexpected: qdisc dev eth0 root pfifo"),
    Mutation("tc -n $H qdisc add dev $T root bfifo limit 90000", "root bfifo"),
    Mutation(
      "ip -n $V rule add priority 77 to 10.99.0.0/16 lookup 55",
      "unexpected: rule priority 77 to 10.99.0.0/16"),
    Mutation(
      "ip -n $H rule add priority 78 from 10.98.0.1 iif lo blackhole",
      "priority 78 from 10.98.0.1/32 iif lo blackhole"),
    Mutation("ip netns exec $V ethtool -K eth0 tx off", "tx is 0, should be 1"),
    Mutation("ip netns exec $V ethtool -K eth0 rx off", "rx is 0, should be 1"),
    Mutation("ip netns exec $V ethtool -K eth0 sg off tso off gso off", "gso is 0, should be 1"),
    Mutation("ip netns exec $H ethtool -K $T tx off sg off", "sg is 0, should be 1"),
    Mutation("ip -n $H link delete $T", "missing: veth", deletes: true),
    Mutation("ip -n $V link delete eth0", "missing: veth eth0", deletes: true),
    Mutation("ip -n $V link set eth0 netns $H name stolen", "missing: veth eth0", deletes: true),
    Mutation("ip netns delete $V", "missing: namespace", deletes: true),
  ]

  /// Of a bridge that all use: the change itself stops their traffic, or may.
  static let ofAll: [Mutation] = [
    Mutation("ip -n $H link set $B down", "state is down"),
    Mutation("ip -n $H link set $B mtu 1400", "mtu is 1400"),
    Mutation("ip -n $H link set $B promisc on", "promisc is on"),
    Mutation("ip -n $H link set $B alias x", "alias is x"),
    Mutation(
      "ip -n $H link set $B down; ip -n $H link set $B name br-x; ip -n $H link set br-x up", "name is br-x"),
    Mutation("ip -n $H link set $B type bridge stp_state 1", "stp_state is 1"),
    Mutation("ip -n $H link set $B type bridge mcast_snooping 1", "mcast_snooping is 1"),
    Mutation("ip -n $H link set $B type bridge forward_delay 900", "forward_delay is 900"),
    Mutation("ip -n $H link delete $B", "missing: bridge", deletes: true),
    Mutation("ip netns delete $H", "missing: namespace", deletes: true),
  ]

  /// Only where ports have VLANs.
  static let ofVLANs: [Mutation] = [
    Mutation("bridge -n $H vlan delete dev $Q vid 1", "missing: vlan 1"),
    Mutation("bridge -n $H vlan add dev $Q vid 7", "unexpected: vlan 7"),
    Mutation("bridge -n $H vlan add dev $Q vid 1", "flags is 1, should be 1 PVID Egress Untagged"),
    Mutation("bridge -n $H vlan add dev $Q vid 9 pvid untagged", "unexpected: vlan 9"),
    Mutation("bridge -n $H vlan add dev $B vid 5 self", "unexpected: vlan 5"),
    Mutation("ip -n $H link set $Q nomaster", "master is none"),
    Mutation("ip -n $H link set $Q promisc off", "promisc is off"),
    Mutation("ip -n $H link set $B type bridge vlan_filtering 0", "vlan_filtering is 0"),
    Mutation("ip -n $H link set $B type bridge vlan_default_pvid 3", "vlan_default_pvid is 3"),
    Mutation("ip -n $H link set qbr-vm-1 type bridge ageing_time 30000", "ageing_time is 30000"),
    Mutation("ip -n $H link delete $Q", "missing: veth", deletes: true),
  ]

  @Test func `What one VM has is repaired in place, while others talk without loss`() throws {
    let bench = try Bench(datapath: .linuxbridge)
    #expect(Self.ofOneVM.count >= 40)
    let ping = Process()
    ping.executableURL = URL(filePath: "/usr/bin/env")
    ping.arguments = [
      "ip", "netns", "exec", "\(bench.lab).vm-3", "ping", "-q", "-i", "0.01", bench.address(of: "vm-4"),
    ]
    let output = Pipe()
    ping.standardOutput = output
    try ping.run()
    // Whatever happens, it must not outlive the lab.
    defer { ping.terminate() }
    for mutation in Self.ofOneVM { try bench.check(mutation) }
    ping.interrupt()
    let report = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(report.contains(" 0% packet loss"), "\(report)")
  }

  @Test(.needs(.vlanFiltering)) func `The same with a bridge and a tag for each port`() throws {
    let bench = try Bench(datapath: .hybrid)
    for mutation in Self.ofOneVM + Self.ofAll + Self.ofVLANs { try bench.check(mutation) }
  }

  @Test func `What all use is repaired in place`() throws {
    let bench = try Bench(datapath: .linuxbridge)
    for mutation in Self.ofAll { try bench.check(mutation) }
  }

  @Test(.needs(.vlanDevices)) func `A subinterface with another VLAN id is replaced`() throws {
    let bench = try Bench(of: ShippedLab(lab: "TrunkVM", datapath: .linuxbridge).document())
    for mutation in [
      Mutation("ip -n $L.trunk link delete eth0.100", "missing: vlan eth0.100", deletes: true),
      Mutation(
        "ip -n $L.trunk link delete eth0.100; ip -n $L.trunk link add link eth0 name eth0.100 type vlan id 101",
        "kind is vlan 101 on eth0, should be vlan 100 on eth0", deletes: true),
      Mutation("ip -n $L.trunk link set eth0.200 down", "state is down"),
      Mutation("ip netns exec $L.trunk sysctl -qw net.ipv4.conf.eth0/200.proxy_arp=1", "proxy_arp is 1"),
      Mutation("ip -n $L.trunk link delete eth0", "missing: veth eth0", deletes: true),
    ] { try bench.check(mutation) }
  }

  @Test func `Only what differs is changed when the lab changes`() throws {
    let bench = try Bench(datapath: .linuxbridge)
    let before = try bench.indices()
    var other = bench.document
    other.ports[0].addresses = ["10.0.7.7"]
    var network = other.networks[0]
    (network.name, network.id) = ("other", nil)
    other.networks.append(network)
    other.ports[1].network = "other"
    _ = try Lifecycle().up(other, labFile: "test")
    #expect(try Lifecycle().isGood(bench.lab))
    let after = try bench.indices()
    // The VM that moved gets another port; all other devices are the ones that they were.
    for (device, index) in before where !device.hasPrefix("\(bench.lab).vm-2 ") {
      if device.contains(" tap"), after[device] == nil { continue }
      #expect(after[device] == index, "\(device)")
    }
    _ = try Lifecycle().up(bench.document, labFile: "test")
    #expect(try Lifecycle().isGood(bench.lab))
  }
}

/// A lab that is up, to change things in by hand; down with the value.
private final class Bench {
  let document: LabDocument
  var lab: String { document.name }
  private let names: String

  init(of document: LabDocument) throws {
    self.document = document
    _ = try Lifecycle().up(document, labFile: "test")
    let state = try Lifecycle().state(of: document.name)
    let host = "\(document.name).compute-1"
    let links = try document.resolved().blueprint().links.filter { $0.namespace == host }
    func name(_ altname: String) -> String { links.first { $0.altnames == [altname] }?.name ?? "" }
    let bridge = links.first { $0.name.hasPrefix("brq") || $0.name == "br-int" }
    names = """
      set -e; L=\(document.name); H=$L.compute-1; V=$L.vm-1; T=\(name("tap-vm-1")); Q=\(name("qvo-vm-1"))
      B=\(bridge?.name ?? ""); TOKEN=\(state.token);
      """
  }

  /// Four VMs on one network, the first with a route.
  convenience init(datapath: Datapath) throws {
    var document = try ShippedLab(lab: "Crowd", datapath: datapath).document()
    document.ports[0].routes = [.onLink("10.77.0.0/16")]
    try self.init(of: document)
  }

  deinit { do { try Lifecycle().down(lab) } catch { Issue.record(error) } }

  func address(of vm: String) -> String {
    let vm = try? document.resolved().vms.first { $0.name == vm }
    return vm?.ports.first?.addresses.first.map { "\($0.address)" } ?? ""
  }

  /// The ifindex of each device, by namespace and name.
  func indices() throws -> [String: Int32] {
    var found: [String: Int32] = [:]
    for name in try Files.list("/run/netns") where name.hasPrefix("\(lab).") {
      for link in try #require(try OpenNamespace.open(name)).connection.links() {
        found["\(name) \(link.name)"] = link.index
      }
    }
    return found
  }

  func check(_ mutation: DriftTests.Mutation) throws {
    let lifecycle = Lifecycle()
    let before = try indices()
    let run = try runProgram(["bash", "-c", "\(names) \(mutation.script)"])
    try #require(run.status == 0, "\(mutation.script): \(run.errors)")
    let summaries = try lifecycle.status(lab).changes.map(\.summary)
    #expect(summaries.contains { $0.contains(mutation.expected) }, "\(mutation.script): \(summaries)")
    do {
      _ = try lifecycle.up(document, labFile: "test")
    } catch {
      Issue.record(error, "\(mutation.script)")
    }
    try runProgram(["bash", "-c", "\(names) \(mutation.afterwards)"])
    let left = try lifecycle.status(lab)
    #expect(left.changes.map(\.summary) == [], "\(mutation.script)")
    #expect(left.unmanaged.map(\.name) == [], "\(mutation.script)")
    tally("drifts found and repaired")
    if !mutation.deletes { #expect(try indices() == before, "\(mutation.script)") }
  }
}
