import Testing

@testable import LabKit

/// MACs, ids, addresses, subports, routes, checks.
@Suite struct PortValidationTests {
  @Test(arguments: macs + addresses + subports + routes + checks + several)
  func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let macs: [Mistake] = [
    Mistake("bad MACs") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, mac: "fa:16:3e:00:00")
        VM("b").port(on: net, mac: "01:00:5e:00:00:01")
        VM("c").port(on: net, mac: "ff:ff:ff:ff:ff:ff")
        VM("d").port(on: net, mac: "00:00:00:00:00:00")
        VM("e").port(on: net, mac: "fe:16:3e:00:00:01")
      }
    }.gives(
      """
      3:21: error: 'fa:16:3e:00:00' is not a MAC address
        fix: leave it out, or write one such as fa:16:3e:d7:7e:4c
      4:21: error: MAC 01:00:5e:00:00:01 is a multicast address, which no interface can have
        fix: leave it out, or write one such as fa:16:3e:fa:38:23
      5:21: error: MAC ff:ff:ff:ff:ff:ff is a multicast address, which no interface can have
        fix: leave it out, or write one such as fa:16:3e:49:b8:ee
      6:21: error: MAC 00:00:00:00:00:00 is all zeros, which no interface can have
        fix: leave it out, or write one such as fa:16:3e:b9:1e:8c
      7:21: error: MAC fe:16:3e:00:00:01 begins with fe, which is for the host's end of a VM's cable
        fix: leave it out, or write one such as fa:16:3e:d2:ce:a3
      """),
    Mistake("duplicate MAC") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, mac: "fa:16:3e:00:00:01")
        VM("b").port(on: net, mac: "FA-16-3E-00-00-01")
      }
    }.gives(
      """
      4:21: error: MAC fa:16:3e:00:00:01 is already that of eth0 of 'a', declared on line 3
        fix: leave it out, or write another one
      """),
    Mistake("port ids") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, id: "../../etc")
        VM("b").port(on: net, id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2")
        VM("c").port(on: net, id: "de4f2069-52ff-4e23-acc0-6a7d84ee1ef2")
      }
    }.gives(
      """
      3:21: error: port id '../../etc' is not a UUID
        fix: leave it out, or write one such as c6ba69bf-59f4-88a7-a486-f06aa65fe893
      5:21: error: port id de4f2069-52ff-4e23-acc0-6a7d84ee1ef2 begins like that of eth0 of 'b', declared on line 4: both would be named tapde4f2069-52
        fix: leave it out, or change one of the first 11 characters
      """),
  ]

  static let addresses: [Mistake] = [
    Mistake("bad addresses") {
      let net = Network("int_net", subnet: "192.168.21.0/24")
      Host("h") {
        VM("a").port(on: net, ip: "192.168.21")
        VM("b").port(on: net, ip: "192.168.22.66")
        VM("c").port(on: net, ip: "192.168.21.0")
        VM("d").port(on: net, ip: "192.168.21.255")
        VM("e").port(on: net, ip: "192.168.21.5/16")
        VM("f").port(on: net, ip: "192.168.21.6/24")
        VM("g").port(on: net, ip: "fd00::1")
        VM("h2").port(on: net, ip: "192.168.21.5/24/7")
        VM("i").port(on: net, ip: "")
      }
    }.gives(
      """
      3:21: error: '192.168.21' is not an IP address
        fix: leave it out, or write one such as 192.168.21.1
      4:21: error: 192.168.22.66 is not in 192.168.21.0/24, the subnet of 'int_net', declared on line 1
        fix: write one from 192.168.21.1 to 192.168.21.254, or leave it out
      5:21: error: 192.168.21.0 is the network address of 192.168.21.0/24
        fix: write one from 192.168.21.1 to 192.168.21.254
      6:21: error: 192.168.21.255 is the broadcast address of 192.168.21.0/24
        fix: write one from 192.168.21.1 to 192.168.21.254
      7:21: error: '192.168.21.5/16' has another prefix length than its subnet 192.168.21.0/24
        fix: write 192.168.21.5
      9:21: error: fd00::1 is not in 192.168.21.0/24, the subnet of 'int_net', declared on line 1
        fix: write one from 192.168.21.1 to 192.168.21.254, or leave it out
      10:22: error: '192.168.21.5/24/7' is not an IP address
        fix: leave it out, or write one such as 192.168.21.1
      11:21: error: '' is not an IP address
        fix: leave it out, or write one such as 192.168.21.1
      """),
    Mistake("duplicate address") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, ip: "10.0.0.5")
        VM("b").port(on: other, ip: "10.0.0.5")
        VM("c").port(on: net, ip: "10.0.0.5")
        VM("d").port(on: net, addresses: ["10.0.0.6", "10.0.0.6"])
      }
    }.gives(
      """
      6:21: error: 10.0.0.5 is already the address of eth0 of 'a', declared on line 4
        fix: leave it out, or write another one
      7:21: error: 10.0.0.6 is already the address of eth0 of 'd', declared on line 7
        fix: leave it out, or write another one
      """),
    Mistake("address in several subnets or none") {
      let two = Network("two", subnets: ["10.0.1.0/24", "10.0.2.0/24"])
      let none = Network("none")
      Host("h") {
        VM("a").port(on: two, ip: "10.0.3.1")
        VM("b").port(on: none, ip: "10.0.3.1")
        VM("c").port(on: none, ip: "fd00::9")
      }
    }.gives(
      """
      4:21: error: 10.0.3.1 is in no subnet of 'two', declared on line 1: 10.0.1.0/24, 10.0.2.0/24
        fix: write one from 10.0.1.1 to 10.0.1.254, or leave it out
      5:21: error: 10.0.3.1 is in no subnet: network 'none', declared on line 2, has none
        fix: give the network a subnet: Network("none", subnet: "10.0.3.0/24")
      6:21: error: fd00::9 is in no subnet: network 'none', declared on line 2, has none
        fix: give the network a subnet: Network("none", subnet: "fd00::/64")
      """),
    Mistake("exhausted subnet") {
      let net = Network("net", subnet: "10.0.0.0/30")
      let tiny = Network("tiny", subnets: ["10.1.0.0/31", "10.1.1.1/32"])
      let six = Network("six", subnet: "fd00::4/126")
      Host("h") {
        for index in 1...5 { VM("vm-\(index)").port(on: net) }
        for index in 1...4 { VM("tiny-\(index)").port(on: tiny) }
        for index in 1...4 { VM("six-\(index)").port(on: six) }
      }
    }.gives(
      """
      5:52: error: no IPv4 address is left in 10.0.0.0/30 of network 'net' for 3 ports
        fix: give the network a larger subnet, or another one
      6:54: error: no IPv4 address is left in 10.1.0.0/31, 10.1.1.1/32 of network 'tiny' for 1 port
        fix: give the network a larger subnet, or another one
      7:53: error: no IPv6 address is left in fd00::4/126 of network 'six' for 1 port
        fix: give the network a larger subnet, or another one
      """),
    Mistake("IPv6 has no broadcast address") {
      let net = Network("six", subnet: "fd00::/120")
      Host("h") {
        VM("a").port(on: net, ip: "fd00::")
        VM("b").port(on: net, ip: "fd00::ff")
      }
    }.gives(
      """
      3:21: error: fd00:: is the network address of fd00::/120
        fix: write one from fd00::1 to fd00::ff
      """),
  ]

  static let subports: [Mistake] = [
    Mistake("VLAN ids") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      let third = Network("third", subnet: "10.2.0.0/24")
      Host("h") {
        VM("a").port(on: net) {
          Subport(on: other, vlan: 0)
          Subport(on: other, vlan: 4095)
          Subport(on: other, vlan: .min)
          Subport(on: other, vlan: 100)
          Subport(on: third, vlan: 100)
        }
      }
    }.gives(
      """
      6:18: error: VLAN id 0 is not in 1…4094
      7:18: error: VLAN id 4095 is not in 1…4094
      8:18: error: VLAN id -9223372036854775808 is not in 1…4094
      10:18: error: VLAN id 100 is already that of a subport of this port, declared on line 9
        fix: give each subport of a port a VLAN id of its own
      """),
    Mistake("subport's network") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        VM("a").port(on: net) {
          Subport(on: net, vlan: 1)
          Subport(on: "ohter", vlan: 2)
          Subport(on: other, vlan: 3)
          Subport(on: other, vlan: 4)
          Subport(on: other, vlan: 5, mac: "fa:16:3e:00:00:05")
        }
      }
    }.gives(
      """
      5:18: error: a subport cannot be on 'net', the network of its own parent
        fix: put it on another network: that is what its VLAN is for
      6:18: error: there is no network 'ohter'
        fix: did you mean 'other'?
      8:18: error: MAC fa:16:3e:d7:7e:4c is on network 'other' already, as that of eth0.3 of 'a', declared on line 7
        fix: give one of the two subports a MAC of its own
      """),
    Mistake("subport's interface") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      let vm = VM("a")
      Host("h") {
        vm.port(on: net, device: "management0") { Subport(on: other, vlan: 100) }
        vm.port(on: net, device: "data") { Subport(on: other, vlan: 100) }
        vm.port(on: net, device: "data.100")
      }
    }.gives(
      """
      7:16: error: 'data.100' is already an interface of VM 'a', declared on line 6
        fix: leave the device out, or give it another name
      """),
    Mistake("tap subinterfaces that collide", datapath: .linuxbridge) {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        VM("a").port(on: net, id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2") { Subport(on: other, vlan: 1000) }
        VM("b").port(on: net, id: "de4f2061-5265-4e23-acc0-6a7d84ee1ef2") { Subport(on: other, vlan: 1000) }
      }
    }.gives(
      """
      5:84: error: the device name tapde4f206.1000 on host 'h' is already that of subport eth0.1000, declared on line 4
        fix: give one of the two another id
      """),
  ]

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
      10:20: error: the VM already has a route to 10.0.0.0/24: the subnet of eth0 of 'a', declared on line 3
        fix: leave one of them out
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
      8:21: error: the VM already has a default route: this one, declared on line 7
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
      8:21: error: the VM already has a default route: this one, declared on line 4
        fix: leave one of them out
      9:16: error: the VM already has a default route: this one, declared on line 4
        fix: leave one of them out
      11:16: error: the VM already has a route to 10.2.0.0/16: this one, declared on line 10
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
        fix: the lab's networks: net, bare
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
        fix: the lab's networks: net, other
      8:9: error: VM 'e' is on no host
        fix: put it or its port in a host's braces: Host("h") { … }
      8:19: error: 'nonsense' is not a MAC address
        fix: leave it out, or write one such as fa:16:3e:d2:ce:a3
      12:11: error: there is no VM 'f'
        fix: the lab's VMs: a b, c, d, e
      """)
  ]
}
