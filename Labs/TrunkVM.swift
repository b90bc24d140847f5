import LabKit

/// A VLAN-aware VM: its trunk port is on one network, its subinterfaces `eth0.100` and `eth0.200` are on two others.
@main
struct TrunkVM: Lab {
  let management = Network("management", subnet: "10.0.0.0/24")
  let front = Network("front", subnet: "10.1.0.0/24")
  let back = Network("back", subnet: "10.2.0.0/24")
  let trunk = VM("trunk")
  let admin = VM("admin")
  let web = VM("web")
  let db = VM("db")

  var topology: some Topology {
    Host("compute-1") {
      trunk.port(on: management, ip: "10.0.0.10") {
        Subport(on: front, vlan: 100, ip: "10.1.0.10")
        Subport(on: back, vlan: 200, ip: "10.2.0.10")
      }
      admin.port(on: management, ip: "10.0.0.20")
      web.port(on: front, ip: "10.1.0.20")
      db.port(on: back, ip: "10.2.0.20")
    }
  }

  var checks: some Checks {
    Ping(from: admin, to: trunk)
    Ping(from: web, to: trunk)
    Ping(from: db, to: trunk)
    Ping(from: trunk, to: web)
    Unreachable(from: web, to: db)
    DifferentTag(admin, web)

    // Whole packets, as large as the networks take, between the MACs that the lab declares.
    for vm in [admin, web, db] {
      Ping(from: vm, to: trunk, size: 1472, dontFragment: true)
      Ping(from: trunk, to: vm, size: 1472, dontFragment: true)
      Neighbour(of: vm, for: trunk)
      Neighbour(of: trunk, for: vm)
    }

    // A broadcast stays inside its network.
    for stranger in [web, db] {
      Capture(at: stranger, filter: "arp and host 10.0.0.99") {
        Unreachable(from: trunk, to: "10.0.0.99")
      }.sees(.nothing)
    }
    for interface in ["eth0.100", "eth0.200"] {
      Capture(at: trunk.device(interface), filter: "arp and host 10.0.0.98") {
        Unreachable(from: admin, to: "10.0.0.98")
      }.sees(.nothing)
    }
    Capture(at: admin, filter: "arp and host 10.1.0.99") {
      Unreachable(from: trunk, to: "10.1.0.99")
    }.sees(.nothing)
    Capture(at: trunk, filter: "arp and host 10.1.0.99 and not vlan") {
      Unreachable(from: web, to: "10.1.0.99")
    }.sees(.nothing)

    // The VLAN id is the VM's own: it is on its cable, and nowhere else.
    Tagged(at: trunk, vlan: 100) { Ping(from: trunk, to: web) }
    Tagged(at: trunk.tap, vlan: 200) { Ping(from: db, to: trunk) }
    Capture(at: web, filter: "vlan") { Ping(from: trunk, to: web) }.sees(.nothing)
    Capture(at: trunk, filter: "icmp and not vlan") { Ping(from: admin, to: trunk, count: 3) }.sees(
      .exactly(6))
  }
}
