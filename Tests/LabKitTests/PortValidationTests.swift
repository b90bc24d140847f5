import Testing
import Values

@testable import LabKit
@testable import LabModel

/// MACs, ids, addresses, subports.
@Suite struct PortValidationTests {
  @Test(arguments: macs + addresses + subports)
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
}
