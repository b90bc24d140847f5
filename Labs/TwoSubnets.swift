import LabKit

/// One network with two subnets: one tag for both, because a tag belongs to a network and not to a subnet.
///
/// On-link routes let the VMs of the two subnets talk without a router. One of them has none, and cannot.
@main
struct TwoSubnets: Lab {
  let net = Network("int_net", subnets: ["10.0.1.0/24", "10.0.2.0/24"])
  let left = VM("left")
  let right = VM("right")
  let unrouted = VM("unrouted")

  var topology: some Topology {
    Host("compute-1") {
      left.port(on: net, ip: "10.0.1.10", routes: [.onLink("10.0.2.0/24")])
      right.port(on: net, ip: "10.0.2.10", routes: [.onLink("10.0.1.0/24")])
      unrouted.port(on: net, ip: "10.0.1.20")
    }
  }

  var checks: some Checks {
    SameTag(left, right)
    Ping(from: left, to: right)
    Ping(from: right, to: left)
    Traceroute(from: left, to: right).hops(1)
    Neighbour(of: left, for: right)
    Neighbour(of: left, for: unrouted)
    Neighbour(of: right, for: left)

    Unreachable(from: unrouted, to: right)
    Ping(from: unrouted, to: left)
    // Whole packets, as large as the network takes.
    Ping(from: left, to: right, size: 1472, dontFragment: true)
    Ping(from: unrouted, to: left, size: 1472, dontFragment: true)
    NotFlooded(from: left, to: right, observer: unrouted)
    // One tag, one broadcast domain: a VM of the first subnet sees the second one's ARP requests.
    Capture(at: unrouted, filter: "arp and host 10.0.2.77") {
      Unreachable(from: right, to: "10.0.2.77")
    }.sees(.atLeast(1))
  }
}
