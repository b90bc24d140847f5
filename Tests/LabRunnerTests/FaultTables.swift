import LabKit
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

/// What can go wrong on any datapath: in the VMs, and at the tap.
let commonFaults: [Fault] = [
  Fault("eth0 of the sender down", [("a", "ip link set eth0 down")], at: "a", "eth0", is: .deviceDown),
  Fault("eth0 of the receiver down", [("b", "ip link set eth0 down")], at: "b", "eth0", is: .deviceDown),
  Fault(
    "tap of the sender down", [("host", "ip link set {tap:a} down")], at: "host", "{tap:a}", is: .deviceDown),
  Fault(
    "tap of the receiver down", [("host", "ip link set {tap:b} down")], at: "host", "{tap:b}", is: .deviceDown
  ),
  Fault(
    "tap of the sender off its bridge", [("host", "ip link set {tap:a} nomaster")], at: "host", "{tap:a}",
    is: .notABridgePort),
  Fault(
    "tap of the receiver off its bridge", [("host", "ip link set {tap:b} nomaster")], at: "host", "{tap:b}",
    is: .notABridgePort),
  Fault(
    "forged neighbour at the sender",
    [("a", "ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent")], at: "a", "eth0",
    is: .wrongNeighbour),
  Fault(
    "forged neighbour at the receiver",
    [("b", "ip neigh replace 10.77.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent")], at: "b", "eth0",
    is: .wrongNeighbour),
  Fault("ARP off at the sender", [("a", "ip link set eth0 arp off")], at: "a", "eth0", is: .arpDisabled),
  Fault("ARP off at the receiver", [("b", "ip link set eth0 arp off")], at: "b", "eth0", is: .arpDisabled),
  Fault(
    "arp_ignore 8", [("b", "sysctl -qw net.ipv4.conf.eth0.arp_ignore=8")], at: "b", "eth0", is: .arpDisabled),
  Fault(
    "wrong prefix at the sender",
    [("a", "ip addr del 10.77.0.1/24 dev eth0"), ("a", "ip addr add 10.77.0.1/32 dev eth0")], at: "a", "eth0",
    is: .noRoute),
  Fault(
    "wrong prefix at the receiver",
    [("b", "ip addr del 10.77.0.2/24 dev eth0"), ("b", "ip addr add 10.77.0.2/32 dev eth0")], at: "b", "eth0",
    is: .noRoute, .reversePath),
  Fault("missing route", [("a", "ip route del 10.77.0.0/24 dev eth0")], at: "a", "eth0", is: .noRoute),
  Fault("blackhole route", [("a", "ip route add blackhole 10.77.0.2")], at: "a", is: .routeRefused),
  Fault(
    "unreachable route on the way back", [("b", "ip route add unreachable 10.77.0.1")], at: "b",
    is: .routeRefused, .reversePath),
  Fault("prohibiting rule", [("a", "ip rule add to 10.77.0.2 prohibit")], at: "a", is: .routeRefused),
  Fault(
    "no address", [("b", "ip addr del 10.77.0.2/24 dev eth0")], at: "b", "eth0", is: .addressNotLocal),
  Fault(
    "wrong MAC, old one remembered",
    [
      ("a", "ip neigh replace 10.77.0.2 lladdr {mac:b} dev eth0 nud permanent"),
      ("b", "ip link set eth0 address 02:00:00:00:00:99"),
    ], at: "b", "eth0", is: .wrongMAC),
  Fault("wrong MAC", [("b", "ip link set eth0 address 02:00:00:00:00:99")], at: "b", "eth0", is: .drift),
  Fault(
    "receiver's address twice", [("c", "ip addr add 10.77.0.2/24 dev eth0")], at: "c", "eth0",
    is: .duplicateAddress),
  Fault(
    "sender's address twice", [("b", "ip addr add 10.77.0.1/24 dev eth0")], at: "b", "eth0",
    is: .duplicateAddress),
  Fault(
    "receiver's MAC twice", [("c", "ip link set eth0 address {mac:b}")], at: "c", "eth0", is: .duplicateMAC),
  Fault(
    "sender's MAC twice", [("b", "ip link set eth0 address {mac:a}")], at: "b", "eth0", is: .duplicateMAC),
  Fault(
    "MTU of the receiver's eth0", [("b", "ip link set eth0 mtu 1400")], at: "b", "eth0", is: .mtuExceeded),
  Fault("MTU of the sender's eth0", [("a", "ip link set eth0 mtu 1400")], at: "a", "eth0", is: .mtuExceeded),
  Fault("MTU of a tap", [("host", "ip link set {tap:b} mtu 1400")], at: "host", "{tap:b}", is: .mtuExceeded),
  Fault(
    "echo ignored", [("b", "sysctl -qw net.ipv4.icmp_echo_ignore_all=1")], at: "b", "eth0", is: .echoIgnored),
  Fault(
    "rp_filter",
    [
      ("b", "ip link add br9 type bridge; ip link set br9 up; ip route add 10.77.0.1/32 dev br9"),
      ("b", "sysctl -qw net.ipv4.conf.eth0.rp_filter=1"),
    ], at: "b", "eth0", is: .reversePath),
  Fault(
    "IPv6 duplicate address detection failed",
    [
      ("b", "ip -6 addr del fd77::2/64 dev eth0"), ("c", "ip -6 addr add fd77::2/64 dev eth0 nodad"),
      ("b", "ip -6 addr add fd77::2/64 dev eth0"),
      ("b", "until ip -6 addr show dev eth0 | grep -q dadfailed; do :; done"),
      ("c", "ip -6 addr del fd77::2/64 dev eth0"),
    ], at: "b", "eth0", is: .duplicateAddressDetected, to: "fd77::2"),
  Fault(
    "IPv6 off at the receiver", [("b", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")], at: "b", "eth0",
    is: .ipv6Disabled, .addressNotLocal, to: "fd77::2"),
  Fault(
    "nftables drop on the host's bridge",
    [
      (
        "host",
        "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority -200; }; add rule bridge t c ip protocol icmp drop'"
      )
    ], at: "host", is: .netfilter),
  Fault("tap deleted", [("host", "ip link del {tap:b}")], at: "host", "{tap:b}", is: .deviceMissing),
]

/// What needs bridges with VLAN filtering, and Neutron's chain of devices.
let hybridFaults: [Fault] = [
  Fault(
    "qbr of the sender down", [("host", "ip link set {qbr:a} down")], at: "host", "{qbr:a}", is: .deviceDown),
  Fault(
    "qbr of the receiver down", [("host", "ip link set {qbr:b} down")], at: "host", "{qbr:b}", is: .deviceDown
  ),
  Fault(
    "qvb of the sender down", [("host", "ip link set {qvb:a} down")], at: "host", "{qvb:a}", is: .deviceDown),
  Fault(
    "qvb of the receiver down", [("host", "ip link set {qvb:b} down")], at: "host", "{qvb:b}", is: .deviceDown
  ),
  Fault(
    "qvo of the sender down", [("host", "ip link set {qvo:a} down")], at: "host", "{qvo:a}", is: .deviceDown),
  Fault(
    "qvo of the receiver down", [("host", "ip link set {qvo:b} down")], at: "host", "{qvo:b}", is: .deviceDown
  ),
  Fault("br-int down", [("host", "ip link set br-int down")], at: "host", "br-int", is: .deviceDown),
  Fault(
    "qvb off its bridge", [("host", "ip link set {qvb:a} nomaster")], at: "host", "{qvb:a}",
    is: .notABridgePort),
  Fault(
    "qvo off br-int", [("host", "ip link set {qvo:b} nomaster")], at: "host", "{qvo:b}", is: .notABridgePort),
  Fault(
    "wrong tag at the receiver",
    [("host", "bridge vlan del dev {qvo:b} vid 1; bridge vlan add dev {qvo:b} vid 2 pvid untagged")],
    at: "host",
    "{qvo:b}", is: .vlanNotAllowed),
  Fault(
    "wrong tag at the sender",
    [("host", "bridge vlan del dev {qvo:a} vid 1; bridge vlan add dev {qvo:a} vid 7 pvid untagged")],
    at: "host",
    "{qvo:a}", is: .vlanNotAllowed),
  Fault(
    "another PVID at the sender", [("host", "bridge vlan add dev {qvo:a} vid 7 pvid untagged")], at: "host",
    "{qvo:a}", is: .vlanNotAllowed),
  Fault(
    "no VLAN at the sender", [("host", "bridge vlan del dev {qvo:a} vid 1")], at: "host", "{qvo:a}",
    is: .noPVID),
  Fault(
    "no VLAN at the receiver", [("host", "bridge vlan del dev {qvo:b} vid 1")], at: "host", "{qvo:b}",
    is: .vlanNotAllowed),
  Fault(
    "a VLAN too many", [("host", "bridge vlan add dev {qvo:b} vid 7")], at: "host", "{qvo:b}", is: .drift),
  Fault(
    "no PVID", [("host", "bridge vlan add dev {qvo:a} vid 1 untagged")], at: "host", "{qvo:a}", is: .noPVID),
  Fault(
    "not untagged", [("host", "bridge vlan add dev {qvo:b} vid 1 pvid")], at: "host", "{qvo:b}",
    is: .tagNotRemoved),
  Fault(
    "STP holds a port",
    [
      ("host", "ip link set br-int type bridge stp_state 1 forward_delay 1500"),
      ("host", "ip link set {qvo:b} down; ip link set {qvo:b} up"),
    ], at: "host", "br-int", is: .portState),
  Fault(
    "STP on", [("host", "ip link set br-int type bridge stp_state 1")], at: "host", "br-int",
    is: .drift, .portState),
  Fault(
    "port disabled", [("host", "bridge link set dev {qvo:b} state 0")], at: "host", "{qvo:b}", is: .portState),
  Fault(
    "learning off", [("host", "bridge link set dev {qvo:b} learning off")], at: "host", "{qvo:b}",
    is: .portOption),
  Fault(
    "no broadcasts to the receiver", [("host", "bridge link set dev {qvo:b} bcast_flood off")], at: "host",
    "{qvo:b}", is: .floodingOff),
  Fault(
    "no flooding to the receiver",
    [
      ("host", "bridge link set dev {qvo:b} flood off"),
      ("a", "ip neigh replace 10.77.0.2 lladdr {mac:b} dev eth0 nud permanent"),
    ], at: "host", "{qvo:b}", is: .floodingOff),
  Fault(
    "isolated ports",
    [("host", "bridge link set dev {qvo:a} isolated on; bridge link set dev {qvo:b} isolated on")],
    at: "host",
    "{qvo:a}", "{qvo:b}", is: .isolated),
  Fault(
    "locked port", [("host", "bridge link set dev {qvo:a} locked on")], at: "host", "{qvo:a}", is: .locked),
  Fault(
    "forged forwarding entry",
    [("host", "bridge fdb replace {mac:b} dev {qvo:c} master static sticky vlan 1")], at: "host", "{qvo:c}",
    is: .wrongForwardingEntry),
  Fault(
    "stale forwarding entry",
    [
      ("a", "ip neigh replace 10.77.0.2 lladdr {mac:b} dev eth0 nud permanent"),
      ("host", "bridge fdb replace {mac:b} dev {qvo:c} master dynamic vlan 1"),
    ], at: "host", "{qvo:c}", is: .wrongForwardingEntry),
  Fault(
    "forwarding entry that is local",
    [
      ("a", "ip neigh replace 10.77.0.2 lladdr {mac:b} dev eth0 nud permanent"),
      ("host", "bridge fdb replace {mac:b} dev {qvo:c} master local vlan 1"),
    ], at: "host", "{qvo:c}", is: .wrongForwardingEntry),
  Fault("MTU of a qvo", [("host", "ip link set {qvo:a} mtu 1300")], at: "host", "{qvo:a}", is: .mtuExceeded),
  Fault(
    "tc drops at the sender's tap",
    [("host", "tc qdisc add dev {tap:a} clsact; tc filter add dev {tap:a} ingress matchall action drop")],
    at: "host", "{tap:a}", is: .trafficControl),
  Fault(
    "tc drops at the receiver's entrance",
    [("b", "tc qdisc add dev eth0 clsact; tc filter add dev eth0 ingress matchall action drop")], at: "b",
    "eth0",
    is: .trafficControl),
  Fault(
    "netem loses all", [("host", "tc qdisc add dev {qvo:b} root netem loss 100%")], at: "host", "{qvo:b}",
    is: .trafficControl),
  Fault(
    "qvb deleted", [("host", "ip link del {qvb:a}")], at: "host", "{qvb:a}", "{qvo:a}", is: .deviceMissing),
  Fault("br-int deleted", [("host", "ip link del br-int")], at: "host", "br-int", is: .deviceMissing),
]

/// What only a kernel with all families of nftables can do.
let netfilterFaults: [Fault] = [
  Fault(
    "nftables drop at the receiver",
    [
      (
        "b",
        "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in icmp type echo-request drop'"
      )
    ], at: "b", "eth0", is: .netfilter),
  Fault(
    "nftables drop at the sender",
    [
      ("a", "nft 'add table ip t; add chain ip t out { type filter hook output priority 0; policy drop; }'")
    ], at: "a", "eth0", is: .netfilter),
  Fault(
    "nftables drop of the answer",
    [
      (
        "a",
        "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in icmp type echo-reply drop'"
      )
    ], at: "a", is: .netfilter),
  Fault(
    "iptables' FORWARD sees bridged packets",
    [
      ("host", "ip link set {brq:a} type bridge nf_call_iptables 1"),
      (
        "host",
        "nft 'add table ip t; add chain ip t f { type filter hook forward priority 0; }; add rule ip t f ip protocol icmp drop'"
      ),
    ], at: "host", "{tap:a}", is: .netfilter),
]

/// What nft does not list.
let legacyFaults: [Fault] = [
  Fault(
    "legacy iptables drop at the receiver", [("b", "iptables-legacy -A INPUT -p icmp -j DROP")], at: "b",
    "eth0", is: .netfilter),
  Fault(
    "legacy iptables drop in a chain of its own",
    [
      ("b", "iptables-legacy -N own; iptables-legacy -A own -p icmp -j DROP; iptables-legacy -A INPUT -j own")
    ],
    at: "b", "eth0", is: .netfilter),
  Fault(
    "legacy iptables' policy at the sender", [("a", "iptables-legacy -P OUTPUT DROP")], at: "a", "eth0",
    is: .netfilter),
]

/// The same on a kernel with br_netfilter.
let bridgedLegacyFaults: [Fault] = [
  Fault(
    "legacy iptables' FORWARD sees bridged packets",
    [
      ("host", "ip link set {brq:a} type bridge nf_call_iptables 1"),
      ("host", "iptables-legacy -A FORWARD -p icmp -j DROP"),
    ], at: "host", "{tap:a}", is: .netfilter)
]

/// Three VMs on one network, without IPv6, whose own packets would teach the bridges their addresses.
struct QuietVMs: Lab {
  let net = Network("net", subnet: "10.77.0.0/24")

  var topology: some Topology {
    Host("host") {
      VM("a").port(on: net, ip: "10.77.0.1")
      VM("b").port(on: net, ip: "10.77.0.2")
      VM("c").port(on: net, ip: "10.77.0.3")
    }
  }
}

/// A VM with a subinterface.
struct TrunkLab: Lab {
  let main = Network("main", subnet: "10.79.0.0/24")
  let inner = Network("inner", subnet: "10.80.0.0/24")

  var topology: some Topology {
    Host("host") {
      VM("a").port(on: main, ip: "10.79.0.1") { Subport(on: inner, vlan: 100, ip: "10.80.0.1") }
      VM("b").port(on: inner, ip: "10.80.0.2")
      VM("c").port(on: main, ip: "10.79.0.3")
    }
  }
}

let trunkFaults: [Fault] = [
  Fault(
    "subinterface with the wrong id",
    [
      (
        "a",
        "ip link del eth0.100; ip link add link eth0 name eth0.100 type vlan id 101; ip addr add 10.80.0.1/24 dev eth0.100; ip link set eth0.100 up"
      )
    ], at: "a", "eth0.100", is: .vlanNotAllowed, .unknownTag),
  Fault("subinterface down", [("a", "ip link set eth0.100 down")], at: "a", "eth0.100", is: .deviceDown),
  Fault("subinterface gone", [("a", "ip link del eth0.100")], at: "a", "eth0.100", is: .deviceMissing),
]
