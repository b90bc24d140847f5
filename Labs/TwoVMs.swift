import LabKit

/// Two VMs on one network and one compute host: what Neutron builds around them, with its names, addresses and tag.
@main
struct TwoVMs: Lab {
  let intNet = Network("int_net", subnet: "192.168.21.0/24", id: "1b80dac9-eed2-4fc2-9540-55f624aaec81")
  let focal1 = VM("focal-1")
  let focal2 = VM("focal-2")

  var topology: some Topology {
    Host("compute-1") {
      focal1.port(
        on: intNet, ip: "192.168.21.52", mac: "fa:16:3e:50:1a:a3", id: "de4f2069-5265-4e23-acc0-6a7d84ee1ef2")
      focal2.port(
        on: intNet, ip: "192.168.21.66", mac: "fa:16:3e:e4:e8:04", id: "585e6e2e-a699-4aa8-b6b0-4d5e2fd66e06")
    }
  }

  var checks: some Checks {
    Ping(from: focal1, to: focal2)
    Ping(from: focal2, to: focal1)
    Ping(from: focal1, to: focal2, size: 1472, dontFragment: true)
    Unreachable(from: focal1, to: focal2, size: 1473, dontFragment: true)
    Neighbour(of: focal1, for: focal2)
    Neighbour(of: focal2, for: focal1)
    SameTag(focal1, focal2)
    Traceroute(from: focal1, to: focal2).hops(1)
    TCP(from: focal1, to: focal2, port: 22, listening: .byCheck)

    // Three requests and three replies, at the VM and at each device on the way.
    for point in [focal2.interface(on: intNet), focal1.tap, focal2.tap] {
      Capture(at: point, filter: "icmp") {
        Ping(from: focal1, to: focal2, count: 3)
      }.sees(.exactly(6))
    }
    // Unicast inside a network is never sent to an address nobody asked for.
    Capture(at: focal2, filter: "icmp and not host 192.168.21.66") {
      Ping(from: focal1, to: focal2, count: 3)
    }.sees(.nothing)
  }
}
