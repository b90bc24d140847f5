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
    }.gives("?"),
    Mistake("duplicate MAC") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, mac: "fa:16:3e:00:00:01")
        VM("b").port(on: net, mac: "FA-16-3E-00-00-01")
      }
    }.gives("?"),
    Mistake("port ids") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, id: "../../etc")
        VM("b").port(on: net, id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2")
        VM("c").port(on: net, id: "de4f2069-52ff-4e23-acc0-6a7d84ee1ef2")
      }
    }.gives("?"),
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
    }.gives("?"),
    Mistake("duplicate address") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net, ip: "10.0.0.5")
        VM("b").port(on: other, ip: "10.0.0.5")
        VM("c").port(on: net, ip: "10.0.0.5")
        VM("d").port(on: net, addresses: ["10.0.0.6", "10.0.0.6"])
      }
    }.gives("?"),
    Mistake("address in several subnets or none") {
      let two = Network("two", subnets: ["10.0.1.0/24", "10.0.2.0/24"])
      let none = Network("none")
      Host("h") {
        VM("a").port(on: two, ip: "10.0.3.1")
        VM("b").port(on: none, ip: "10.0.3.1")
        VM("c").port(on: none, ip: "fd00::9")
      }
    }.gives("?"),
    Mistake("exhausted subnet") {
      let net = Network("net", subnet: "10.0.0.0/30")
      let tiny = Network("tiny", subnets: ["10.1.0.0/31", "10.1.1.1/32"])
      let six = Network("six", subnet: "fd00::4/126")
      Host("h") {
        for index in 1...5 { VM("vm-\(index)").port(on: net) }
        for index in 1...4 { VM("tiny-\(index)").port(on: tiny) }
        for index in 1...4 { VM("six-\(index)").port(on: six) }
      }
    }.gives("?"),
    Mistake("IPv6 has no broadcast address") {
      let net = Network("six", subnet: "fd00::/120")
      Host("h") {
        VM("a").port(on: net, ip: "fd00::")
        VM("b").port(on: net, ip: "fd00::ff")
      }
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
    Mistake("subport's interface") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      let vm = VM("a")
      Host("h") {
        vm.port(on: net, device: "management0") { Subport(on: other, vlan: 100) }
        vm.port(on: net, device: "data") { Subport(on: other, vlan: 100) }
        vm.port(on: net, device: "data.100")
      }
    }.gives("?"),
    Mistake("tap subinterfaces that collide", datapath: .linuxbridge) {
      let net = Network("net", subnet: "10.0.0.0/24")
      let other = Network("other", subnet: "10.1.0.0/24")
      Host("h") {
        VM("a").port(on: net, id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2") { Subport(on: other, vlan: 1000) }
        VM("b").port(on: net, id: "de4f2061-5265-4e23-acc0-6a7d84ee1ef2") { Subport(on: other, vlan: 1000) }
      }
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?"),
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
    }.gives("?")
  ]
}
