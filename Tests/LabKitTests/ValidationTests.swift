import Testing

@testable import LabKit

/// Names, placement, networks, MTU.
@Suite struct ValidationTests {
  @Test(arguments: names + networks + placement + sizes)
  func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let names: [Mistake] = [
    Mistake("empty lab") {}.gives("?"),
    Mistake("host without VMs") {
      Host("compute-1") {}
    }.gives("?"),
    Mistake("lab's name", lab: "my lab") {
      Host("h") { VM("a") }
    }.gives("?"),
    Mistake("duplicate VM") {
      Host("h") {
        VM("a")
        VM("a")
      }
    }.gives("?"),
    Mistake("duplicate host") {
      Host("h") { VM("a") }
      Host("h") { VM("b") }
    }.gives("?"),
    Mistake("VM and host of one name") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") { VM("h").port(on: net) }
    }.gives("?"),
    Mistake("duplicate network") {
      Network("net", subnet: "10.0.0.0/24")
      Network("net", subnet: "10.1.0.0/24")
      Host("h") { VM("a").port(on: "net") }
    }.gives("?"),
    Mistake("names with wrong characters") {
      Host("h/../x") {
        VM("")
        VM("..")
        VM("-a")
        VM("web server")
        VM("vm\u{1b}[31m")
        VM("a.b")
        VM("größe")
        VM("a\nerror: forged")
        VM("user\u{202e}txt")
        VM("zero\u{200b}width")
      }
    }.gives("?"),
    Mistake("long names") {
      let long = String(repeating: "n", count: 64)
      Network(long)
      Host("h") { VM(String(long.dropLast())).port(on: Network("short")) }
      Host(long) { VM(String(repeating: "x", count: 1000)) }
    }.gives("?"),
    Mistake("network names") {
      Network("")
      Network("a/b")
      Network("..")
      Network("two words")
      Network("$(reboot)")
      Network("tab\t")
      Network("v1.2_ok")
      Host("h") { VM("a") }
    }.gives("?"),
    Mistake("interface names") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, device: "lo")
        VM("b").port(on: net, device: "all")
        VM("c").port(on: net, device: "sixteen-letters-")
        VM("d").port(on: net, device: "fifteen-letters")
        VM("e").port(on: net, device: "../eth0")
        VM("f").port(on: net, device: "eth 0")
        VM("g").port(on: net, device: "")
        VM("h2").port(on: net, device: "-x")
      }
    }.gives("?"),
    Mistake("interface twice") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let vm = VM("a")
      Host("h") {
        vm.port(on: net, device: "data0")
        vm.port(on: net, device: "data0")
      }
    }.gives("?"),
  ]

  static let networks: [Mistake] = [
    Mistake("unknown network") {
      Network("int_net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: "int_nte")
        VM("b").port(on: "something")
        VM("c").port(on: "")
      }
    }.gives("?"),
    Mistake("no network at all") {
      Host("h") { VM("a").port(on: "net") }
    }.gives("?"),
    Mistake("subnets that are none") {
      let net = Network(
        "net",
        subnets: [
          "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.5/24", "fd00::", "fd00::/129", "net",
          "0.0.0.0/0",
          "::/0",
        ])
      Host("h") { VM("a").port(on: net, ip: "10.9.9.9") }
    }.gives("?"),
    Mistake("unusable subnets") {
      Network("a", subnet: "127.0.0.0/16")
      Network("b", subnet: "224.1.0.0/16")
      Network("c", subnet: "128.0.0.0/1")
      Network("d", subnet: "0.0.0.0/8")
      Network("e", subnet: "::1/128")
      Network("f", subnet: "fe80::/64")
      Network("g", subnet: "ff00::/64")
      Host("h") { VM("a") }
    }.gives("?"),
    Mistake("overlapping subnets") {
      let net = Network("net", subnets: ["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/24", "10.0.1.0/24"])
      Host("h") { VM("a").port(on: net) }
    }.gives("?"),
    Mistake("network ids") {
      Network("a", id: "1b80dac9")
      Network("b", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
      Network("c", id: "1B80DAC9-EED2-4FC2-9540-55F624AAEC81")
      Host("h") { VM("a") }
    }.gives("?"),
    Mistake("brq names that collide", datapath: .linuxbridge) {
      let a = Network("a", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
      let b = Network("b", id: "1b80dac9-eeff-4fc2-9540-55f624aaec81")
      Host("h") {
        VM("a").port(on: a)
        VM("b").port(on: b)
      }
    }.gives("?"),
  ]

  static let placement: [Mistake] = [
    Mistake("VM on no host") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") { VM("a").port(on: net) }
      VM("b")
      VM("c").port(on: net)
    }.gives("?"),
    Mistake("VM and no host") {
      VM("b")
    }.gives("?"),
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
    }.gives("?"),
    Mistake("unknown host and VM in a document") {
      var document = LabDocument(name: "lab")
      document.add(
        TopologyBuilder.buildBlock(
          TopologyBuilder.buildExpression(
            Host("compute-1") { VM("a").port(on: Network("net", subnet: "10.0.0.0/24")) })
        ).declarations, host: nil)
      document.ports[0].host = "compute-2"
      document.vms[0].host = nil
      var stray = document.ports[0]
      stray.vm = "nobody"
      document.ports.append(stray)
      return document
    }.gives("?"),
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
    }.gives("?"),
    Mistake("subport larger than its parent") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let jumbo = Network("jumbo", subnet: "10.1.0.0/24", mtu: 9000)
      Host("h") {
        VM("a").port(on: net) { Subport(on: jumbo, vlan: 5) }
        VM("b").port(on: net) { Subport(on: jumbo, vlan: 5, mtu: 1501) }
        VM("c").port(on: net, mtu: 1400) { Subport(on: jumbo, vlan: 5, mtu: .max) }
      }
    }.gives("?"),
    Mistake("more than 1023 ports on one bridge") {
      let net = Network("net", subnet: "10.0.0.0/16")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        for index in 1...1023 { VM("vm-\(index)").port(on: net) }
        VM("last").port(on: other)
      }
    }.gives("?"),
    Mistake("more than 1023 ports on one brq", datapath: .linuxbridge) {
      let net = Network("net", subnet: "10.0.0.0/16")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        for index in 1...1100 { VM("vm-\(index)").port(on: net) }
        VM("last").port(on: other)
      }
    }.gives("?"),
    Mistake("more than 4094 networks on one host") {
      Host("h") {
        let vms = (0..<5).map { VM("vm-\($0)") }
        for index in 0..<4095 {
          vms[index % 5].port(on: Network("net-\(index)"))
        }
      }
    }.gives("?"),
  ]
}
