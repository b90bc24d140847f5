import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Routes, checks, and mistakes of every kind at once.
@Suite struct CheckValidationTests {
  @Test(arguments: routes + checks + several)
  func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let routes: [Mistake] = [
    Mistake("destinations") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(
          on: net,
          routes: [
            .to("10.5.0.0", via: "10.0.0.1"),
            .to("anywhere", via: "10.0.0.1"),
            .to("10.5.0.7/24", via: "10.0.0.1"),
            .to("10.5.0.0/33", via: "10.0.0.1"),
            .onLink("10.0.0.0/24"),
          ])
      }
    }.gives(
      """
      6:16: error: '10.5.0.0' is not a route's destination
        fix: write 10.5.0.0/32 for one address
      7:16: error: 'anywhere' is not a route's destination
        fix: write ADDRESS/LENGTH, or "default"
      8:16: error: 10.5.0.7/24 is an address on a subnet, not a route's destination
        fix: write 10.5.0.0/24
      9:16: error: '10.5.0.0/33' is not a route's destination
        fix: write ADDRESS/LENGTH, or "default"
      10:20: error: 10.0.0.0/24 is the subnet of eth0 of 'a', to which the kernel makes a route by itself
        fix: leave it out
      """),
    Mistake("gateways") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let bare = Network("bare")
      Host("h") {
        VM("a").port(
          on: net, ip: "10.0.0.9",
          routes: [
            .default(via: "router"),
            .default(via: "10.1.0.1"),
            .to("10.5.0.0/16", via: "fd00::1"),
            .to("10.6.0.0/16", via: "10.0.0.9"),
            .to("10.7.0.0/16", via: "10.0.0.255"),
            .to("10.8.0.0/16", via: "10.0.0.0"),
            .to("10.9.0.0/16", via: "10.0.0.1"),
          ])
        VM("b").port(on: bare, routes: [.default(via: "10.0.0.1")])
      }
    }.gives(
      """
      7:21: error: gateway 'router' is not an IP address
        fix: write the next hop's address, or use Route.onLink(…) where there is none
      8:21: error: the VM already has a default route, declared on line 7
        fix: leave one of them out
      9:16: error: gateway fd00::1 is not of the same family as its destination 10.5.0.0/16
        fix: write an IPv4 address
      10:16: error: gateway 10.0.0.9 is the address of eth0 of 'a' itself
        fix: write the next hop's address
      11:16: error: gateway 10.0.0.255 is the broadcast address of 10.0.0.0/24
        fix: write the next hop's address
      12:16: error: gateway 10.0.0.0 is the network address of 10.0.0.0/24
        fix: write the next hop's address
      15:49: error: gateway 10.0.0.1 cannot be reached from eth0 of 'b', which reaches nothing
        fix: write a gateway in there, or add Route.onLink("10.0.0.1/32")
      """),
    Mistake("default route twice") {
      let net = Network("net", subnets: ["10.0.0.0/24", "fd00::/64"])
      let vm = VM("a")
      Host("h") {
        vm.port(on: net, routes: [.default(via: "10.0.0.1"), .default(via: "fd00::1")])
        vm.port(
          on: net,
          routes: [
            .default(via: "10.0.0.2"),
            .to("0.0.0.0/0", via: "10.0.0.3"),
            .to("10.2.0.0/16", via: "10.0.0.1"),
            .to("10.2.0.0/16", via: "10.0.0.1"),
          ])
      }
    }.gives(
      """
      8:21: error: the VM already has a default route, declared on line 4
        fix: leave one of them out
      9:16: error: the VM already has a default route, declared on line 8
        fix: leave one of them out
      11:16: error: the VM already has a route to 10.2.0.0/16, declared on line 10
        fix: leave one of them out
      """),
  ]

  static let checks: [Mistake] = [
    Mistake("unknown nodes in checks") {
      Host("compute-1") {
        VM("focal-1").port(on: Network("net", subnet: "10.0.0.0/24"))
        VM("focal-2").port(on: "net")
      }
    } checks: {
      Ping(from: "focal-1", to: "focal-3")
      Ping(from: "fcoal-1", to: "focal-2")
      Ping(from: "focal-1", to: "compute-1")
      SameTag("focal-1", "xyz")
      Capture(at: "nowhere") { Ping(from: "focal-1", to: "10.0.0.300") }
      Capture(at: CapturePoint(node: "compute", place: .device("br-int"))) {
        Ping(from: "focal-1", to: "focal-2")
      }
      Capture(at: "compute-1") { Ping(from: "focal-1", to: "focal-2") }
      NotFlooded(from: "focal-1", to: "focal-2", observer: "focal-9")
      Run(on: "nobody", "true")
    }.gives(
      """
      6:11: error: there is no VM 'focal-3'
        fix: did you mean 'focal-1'?
      7:11: error: there is no VM 'fcoal-1'
        fix: did you mean 'focal-1'?
      8:11: error: 'compute-1' is a host, and this is for VMs
        fix: name a VM; to capture on a host, name its device: Host("compute-1").device("br-int")
      9:14: error: there is no VM 'xyz'
        fix: the lab's VMs: focal-1, focal-2
      10:14: error: there is no VM 'nowhere'
        fix: the lab's VMs: focal-1, focal-2
      10:36: error: there is no VM '10.0.0.300'
        fix: the lab's VMs: focal-1, focal-2
      11:14: error: there is no node 'compute'
        fix: did you mean 'compute-1'?
      14:14: error: 'compute-1' is a host, and this is for VMs
        fix: name a VM; to capture on a host, name its device: Host("compute-1").device("br-int")
      15:17: error: there is no VM 'focal-9'
        fix: did you mean 'focal-1'?
      16:10: error: there is no node 'nobody'
        fix: the lab's nodes: compute-1, focal-1, focal-2
      """),
    Mistake("checks without an address or a port") {
      let bare = Network("bare")
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net)
        VM("b").port(on: bare)
        VM("c")
      }
    } checks: {
      Ping(from: "a", to: "b")
      Ping(from: "b", to: "a")
      Ping(from: "a", to: "c")
      Ping(from: "c", to: "a")
      Ping(from: "b", to: VM("a").on("net"))
      Ping(from: "a", to: VM("a").on("bare"))
      Ping(from: "a", to: VM("b").on("nte"))
      SameTag("a", "c")
      Capture(at: VM("a").interface(on: "bare")) { Run(on: "h", "true") }
      Capture(at: VM("c").tap) { Run(on: "h", "true") }
    }.gives(
      """
      9:11: error: VM 'b' has no address
        fix: give network 'bare' a subnet
      10:11: error: VM 'b' has no address
        fix: give network 'bare' a subnet
      11:11: error: VM 'c' has no address
        fix: give it a port on a network with a subnet
      12:11: error: VM 'c' has no port
        fix: give it one: VM("c").port(on: network)
      13:11: error: VM 'b' has no address
        fix: give network 'bare' a subnet
      14:11: error: VM 'a' has no port on network 'bare'
        fix: it has one on net
      15:11: error: there is no network 'nte'
        fix: did you mean 'net'?
      16:14: error: VM 'c' has no port
        fix: give it one: VM("c").port(on: network)
      17:14: error: VM 'a' has no port on network 'bare'
        fix: it has one on net
      18:14: error: VM 'c' has no port
        fix: give it one: VM("c").port(on: network)
      """),
    Mistake("numbers in checks") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net)
        VM("b").port(on: net)
      }
    } checks: {
      Ping(from: "a", to: "b", count: 0)
      Ping(from: "a", to: "b", size: -1, loss: 101)
      Ping(from: "a", to: "b", within: .seconds(-1))
      Unreachable(from: "a", to: "b", waiting: .seconds(1_000_000_000_000))
      Traceroute(from: "a", to: "b").hops(0)
      TCP(from: "a", to: "b", port: 65_536)
      Tagged(at: "a", vlan: 4095) { Ping(from: "a", to: "b", count: 1001) }
      Capture(at: "a") { Ping(from: "a", to: "b") }.sees(.exactly(-1))
      Run(on: "a", "true", status: 256)
    }.gives(
      """
      7:11: error: count 0 is not in 1…1000
      8:11: error: loss 101 is not in 0…100
      8:11: error: size -1 is not in 0…65507
      9:11: error: within (µs) -1000000 is not in 1…60000000
      10:18: error: waiting (ms) 1000000000 is not in 1…60000
      11:17: error: hops 0 is not in 1…64
      12:10: error: port 65536 is not in 1…65535
      13:13: error: vlan 4095 is not in 1…4094
      13:41: error: count 1001 is not in 1…1000
      14:14: error: packet count -1 is not in 0…1000000
      15:10: error: status 256 is not in 0…255
      """),
    Mistake("texts in checks") {
      Host("h") { VM("a").port(on: Network("net", subnet: "10.0.0.0/24")) }
    } checks: {
      Run(on: "a", "")
      Run(on: "a")
      Run(on: "a", "echo", "a\u{0}b")
      Run(on: "a", "true", output: .matches("(unclosed"))
      Capture(at: "a", filter: "-w/etc/passwd") { Run(on: "a", "true") }
      Capture(at: VM("a").device("eth0; reboot")) { Run(on: "a", "true") }
      Capture(at: Host("h").device("../../x")) { Run(on: "a", "true") }
    }.gives(
      """
      3:10: error: there is no command to run
      4:10: error: there is no command to run
      5:10: error: an argument of a command cannot contain U+0000
      6:10: error: '(unclosed' is not a regular expression: expected ')'
      7:14: error: '-w/etc/passwd' is not a capture filter
        fix: write one such as "icmp"
      8:14: error: the interface's name 'eth0; reboot' contains ';'; letters, digits, '-', '_' and '.' can be used
        fix: write 'eth0--reboot'
      9:14: error: the interface's name '../../x' contains '/'; letters, digits, '-', '_' and '.' can be used
        fix: write 'x'
      """),
  ]

  /// One mistake of each stage, all reported, none twice.
  static let several: [Mistake] = [
    Mistake("several at once") {
      let net = Network("net", subnet: "10.0.0.0/33", mtu: 9)
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        VM("a b").port(on: net, ip: "10.0.0.5", routes: [.default(via: "10.0.0.1")])
        VM("c").port(on: other, ip: "10.2.0.5", routes: [.default(via: "10.1.0.1")])
        VM("d").port(on: "nte", ip: "10.0.0.5")
      }
      VM("e").port(on: other, mac: "nonsense")
    } checks: {
      Ping(from: "a b", to: "c")
      Ping(from: "c", to: "d")
      Ping(from: "c", to: "f")
    }.gives(
      """
      1:24: error: '10.0.0.0/33' has no valid prefix length
        fix: write 10.0.0.0/24
      1:24: error: MTU 9 of network 'net' is not in 68…65535
      4:11: error: the VM's name 'a b' contains ' '; letters, digits, '-' and '_' can be used
        fix: write 'a-b'
      5:21: error: 10.2.0.5 is not in 10.1.0.0/24, the subnet of 'other', declared on line 2
        fix: write one from 10.1.0.1 to 10.1.0.254, or leave it out
      6:21: error: there is no network 'nte'
        fix: did you mean 'net'?
      8:9: error: VM 'e' is on no host
        fix: put it or its port in a host's braces: Host("h") { … }
      8:19: error: 'nonsense' is not a MAC address
        fix: leave it out, or write one such as fa:16:3e:d2:ce:a3
      12:11: error: there is no VM 'f'
        fix: the lab's VMs: a b, c, d, e
      """)
  ]
}
