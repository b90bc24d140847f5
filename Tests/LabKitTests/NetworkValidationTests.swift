import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Networks, placement, MTU, limits.
@Suite struct NetworkValidationTests {
  @Test(arguments: networks + placement + sizes)
  func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let networks: [Mistake] = [
    Mistake("unknown network") {
      Network("int_net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: "int_nte")
        VM("b").port(on: "something")
        VM("c").port(on: "")
      }
    }.gives(
      """
      3:21: error: there is no network 'int_nte'
        fix: did you mean 'int_net'?
      4:21: error: there is no network 'something'
        fix: the lab's networks: int_net
      5:21: error: the port has no network
        fix: name one: port(on: network)
      """),
    Mistake("no network at all") {
      Host("h") { VM("a").port(on: "net") }
    }.gives(
      """
      1:31: error: there is no network 'net'
        fix: declare it: Network("net", subnet: "192.168.21.0/24")
      """),
    Mistake("subnets that are none") {
      let net = Network(
        "net",
        subnets: [
          "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.5/24", "fd00::", "fd00::/129", "net",
          "0.0.0.0/0",
          "::/0",
        ])
      Host("h") { VM("a").port(on: net, ip: "10.9.9.9") }
    }.gives(
      """
      1:24: error: '' is not a subnet
        fix: write ADDRESS/LENGTH, such as 192.168.21.0/24
      1:24: error: '10.0.0.0' has no valid prefix length
        fix: write 10.0.0.0/24
      1:24: error: '10.0.0.0/33' has no valid prefix length
        fix: write 10.0.0.0/24
      1:24: error: '10.0.0.0/' has no valid prefix length
        fix: write 10.0.0.0/24
      1:24: error: 10.0.0.5/24 is an address on a subnet, not a subnet
        fix: write 10.0.0.0/24
      1:24: error: 'fd00::' has no valid prefix length
        fix: write fd00::/64
      1:24: error: 'fd00::/129' has no valid prefix length
        fix: write fd00::/64
      1:24: error: 'net' is not a subnet
        fix: write ADDRESS/LENGTH, such as 192.168.21.0/24
      1:24: error: subnet 0.0.0.0/0 covers every address there is
        fix: write 10.0.0.0/24, for instance
      1:24: error: subnet ::/0 covers every address there is
        fix: write fd00::/64, for instance
      """),
    Mistake("unusable subnets") {
      Network("a", subnet: "127.0.0.0/16")
      Network("b", subnet: "224.1.0.0/16")
      Network("c", subnet: "128.0.0.0/1")
      Network("d", subnet: "0.0.0.0/8")
      Network("e", subnet: "::1/128")
      Network("f", subnet: "fe80::/64")
      Network("g", subnet: "ff00::/64")
      Host("h") { VM("a") }
    }.gives(
      """
      1:14: error: subnet 127.0.0.0/16 overlaps 127.0.0.0/8, the loopback range
        fix: write 10.0.0.0/24, for instance
      2:14: error: subnet 224.1.0.0/16 overlaps 224.0.0.0/4, the multicast range
        fix: write 10.0.0.0/24, for instance
      3:14: error: subnet 128.0.0.0/1 overlaps 224.0.0.0/4, the multicast range
        fix: write 10.0.0.0/24, for instance
      4:14: error: subnet 0.0.0.0/8 overlaps 0.0.0.0/8, which stands for this network
        fix: write 10.0.0.0/24, for instance
      5:14: error: subnet ::1/128 overlaps ::1/128, the loopback address
        fix: write fd00::/64, for instance
      6:14: error: subnet fe80::/64 overlaps fe80::/10, the link-local range, in which each interface has an address anyway
        fix: write fd00::/64, for instance
      7:14: error: subnet ff00::/64 overlaps ff00::/8, the multicast range
        fix: write fd00::/64, for instance
      """),
    Mistake("overlapping subnets") {
      let net = Network("net", subnets: ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/24", "10.0.1.0/24"])
      Host("h") { VM("a").port(on: net) }
    }.gives(
      """
      1:24: error: subnet 10.0.0.128/25 overlaps 10.0.0.0/24 of the same network 'net'
        fix: choose another range, or put it on a network of its own
      1:24: error: subnet 10.0.0.0/24 overlaps 10.0.0.0/24 of the same network 'net'
        fix: write it once
      """),
    Mistake("network ids") {
      Network("a", id: "1b80dac9")
      Network("b", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
      Network("c", id: "1B80DAC9-EED2-4FC2-9540-55F624AAEC81")
      Host("h") { VM("a") }
    }.gives(
      """
      1:14: error: network id '1b80dac9' is not a UUID
        fix: leave it out, or write one such as 4fc10e09-3707-8046-be38-aeadd0ba10b3
      3:14: error: network id 1b80dac9-eed2-4fc2-9540-55f624aaec81 is already that of network 'b', declared on line 2
        fix: leave it out, or write another one
      """),
    Mistake("brq names that collide", datapath: .linuxbridge) {
      let a = Network("a", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
      let b = Network("b", id: "1b80dac9-eeff-4fc2-9540-55f624aaec81")
      Host("h") {
        VM("a").port(on: a)
        VM("b").port(on: b)
      }
    }.gives(
      """
      2:22: error: the device name brq1b80dac9-ee on host 'h' is already that of network 'a', declared on line 1
        fix: give one of the two another id
      """),
  ]

  static let placement: [Mistake] = [
    Mistake("VM on no host") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") { VM("a").port(on: net) }
      VM("b")
      VM("c").port(on: net)
    }.gives(
      """
      3:9: error: VM 'b' is on no host
        fix: put it or its port in a host's braces: Host("h") { … }
      4:9: error: VM 'c' is on no host
        fix: put it or its port in a host's braces: Host("h") { … }
      """),
    Mistake("VM and no host") {
      VM("b")
    }.gives(
      """
      1:9: error: VM 'b' is on no host
        fix: put it or its port in a host's braces: Host("compute-1") { … }
      """),
    Mistake("VM on two hosts") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let vm = VM("a")
      let other = VM("b")
      Host("h1") {
        vm.port(on: net)
        other
      }
      Host("h2") {
        vm.port(on: net)
        other
      }
    }.gives(
      """
      3:21: error: VM 'b' is on host 'h1' and cannot be on 'h2' too
        fix: keep it and all its ports in the braces of 'h1', or use another VM
      9:16: error: VM 'a' is on host 'h1' and cannot be on 'h2' too
        fix: keep it and all its ports in the braces of 'h1', or use another VM
      """),
    .document("unknown host and VM in a document") {
      var document = LabDocument(name: "lab")
      document.add(
        TopologyBuilder.buildBlock(
          TopologyBuilder.buildExpression(
            Host("compute-1") { VM("a").port(on: Network("net", subnet: "10.0.0.0/24")) })
        ).topologyGroup.declarations, host: nil)
      document.ports[0].host = "compute-2"
      document.change(VM.self, { $0.host = nil })
      var stray = document.ports[0]
      stray.node = "nobody"
      document.ports.append(stray)
      return document
    }.gives(
      """
      5:45: error: there is no host 'compute-2'
        fix: did you mean 'compute-1'?
      5:45: error: there is no VM 'nobody'
        fix: the lab's VMs: a
      """),
  ]

  static let sizes: [Mistake] = [
    Mistake("MTU out of range") {
      let tiny = Network("tiny", subnet: "10.0.0.0/24", mtu: 67)
      let huge = Network("huge", subnet: "10.1.0.0/24", mtu: .max)
      let six = Network("six", subnet: "fd00::/64", mtu: 1279)
      let fine = Network("fine", subnet: "10.2.0.0/24", mtu: 68)
      let dual = Network("dual", subnets: ["10.3.0.0/24", "fd03::/64"])
      Host("h") {
        VM("a").port(on: tiny)
        VM("b").port(on: huge)
        VM("c").port(on: six)
        VM("d").port(on: fine, mtu: .min)
        VM("e").port(on: fine, mtu: 65_535)
        VM("f").port(on: dual, mtu: 1000)
      }
    }.gives(
      """
      1:25: error: MTU 67 of network 'tiny' is not in 68…65535
      2:25: error: MTU 9223372036854775807 of network 'huge' is not in 68…65535
      3:24: error: MTU 1279 of network 'six' is less than the 1280 bytes that IPv6 needs
        fix: write 1280 or more, or leave out the IPv6 subnet
      10:21: error: MTU -9223372036854775808 of eth0 of 'd' is not in 68…65535
      12:21: error: MTU 1000 of eth0 of 'f' is less than the 1280 bytes that IPv6 needs
        fix: write 1280 or more, or leave out the IPv6 subnet
      """),
    Mistake("subport larger than its parent") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let jumbo = Network("jumbo", subnet: "10.1.0.0/24", mtu: 9000)
      Host("h") {
        VM("a").port(on: net) { Subport(on: jumbo, vlan: 5) }
        VM("b").port(on: net) { Subport(on: jumbo, vlan: 5, mtu: 1501) }
        VM("c").port(on: net, mtu: 1400) { Subport(on: jumbo, vlan: 5, mtu: .max) }
      }
    }.gives(
      """
      5:40: error: MTU 1501 of eth0.5 of 'b' is larger than its parent's, 1500
        fix: write 1500 or less, or leave it out
      6:51: error: MTU 9223372036854775807 of eth0.5 of 'c' is not in 68…65535
      """),
    Mistake("more than 1023 ports on one bridge") {
      let net = Network("net", subnet: "10.0.0.0/16")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        for index in 1...1023 { VM("vm-\(index)").port(on: net) }
        VM("last").port(on: other)
      }
    }.gives(
      """
      3:11: error: host 'h' has 1024 ports on br-int; a bridge takes at most 1023
        fix: spread the VMs over several hosts
      """),
    Mistake("more than 1023 ports on one brq", datapath: .linuxbridge) {
      let net = Network("net", subnet: "10.0.0.0/16")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        for index in 1...1100 { VM("vm-\(index)").port(on: net) }
        VM("last").port(on: other)
      }
    }.gives(
      """
      3:11: error: host 'h' has 1100 ports of network 'net'; a bridge takes at most 1023
        fix: spread the VMs over several hosts
      """),
    Mistake("more than 4094 networks on one host") {
      Host("h") {
        let vms = (0..<5).map { VM("vm-\($0)") }
        for index in 0..<4095 {
          vms[index % 5].port(on: Network("net-\(index)"))
        }
      }
    }.gives(
      """
      1:11: error: host 'h' has 4095 ports on br-int; a bridge takes at most 1023
        fix: spread the VMs over several hosts
      1:11: error: host 'h' has 4095 networks; there are 4094 VLAN tags
        fix: spread the networks over several hosts
      """),
  ]
}
