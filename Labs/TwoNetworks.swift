import LabKit

/// Two networks on one host: different tags keep them apart, although the addresses would match.
///
/// Both networks use the same subnet, so nothing but the tag stands between `red-1` and `blue-1`.
@main
struct TwoNetworks: Lab {
  let red = Network("red", subnet: "10.0.0.0/24")
  let blue = Network("blue", subnet: "10.0.0.0/24")
  let red1 = VM("red-1")
  let red2 = VM("red-2")
  let red3 = VM("red-3")
  let blue1 = VM("blue-1")
  let blue2 = VM("blue-2")

  var topology: some Topology {
    Host("compute-1") {
      red1.port(on: red, ip: "10.0.0.11")
      red2.port(on: red, ip: "10.0.0.12")
      red3.port(on: red, ip: "10.0.0.13")
      blue1.port(on: blue, ip: "10.0.0.21")
      blue2.port(on: blue, ip: "10.0.0.22")
    }
  }

  var checks: some Checks {
    SameTag(red1, red2)
    SameTag(blue1, blue2)
    DifferentTag(red1, blue1)

    // The positive control: inside each network everybody answers.
    Ping(from: red1, to: red2)
    Ping(from: blue1, to: blue2)
    Unreachable(from: red1, to: blue1)
    Unreachable(from: blue2, to: red2)

    // The same of everybody: who shares a network answers, nobody else does.
    AllPairs()

    // Whole packets, as large as the networks take, between the MACs that the lab declares.
    for (from, to) in [(red1, red2), (red1, red3), (red2, red1), (blue1, blue2), (blue2, blue1)] {
      Ping(from: from, to: to, size: 1472, dontFragment: true)
      Neighbour(of: from, for: to)
    }

    // A broadcast stays inside its network. The first capture shows that it is sent and can be seen.
    Capture(at: red2, filter: "arp and host 10.0.0.99") {
      Unreachable(from: red1, to: "10.0.0.99")
    }.sees(.atLeast(1))
    for stranger in [blue1, blue2] {
      Capture(at: stranger, filter: "arp and host 10.0.0.99") {
        Unreachable(from: red1, to: "10.0.0.99")
      }.sees(.nothing)
    }
    for stranger in [red1, red2, red3] {
      Capture(at: stranger, filter: "arp and host 10.0.0.98") {
        Unreachable(from: blue1, to: "10.0.0.98")
      }.sees(.nothing)
    }
    NotFlooded(from: red1, to: red2, observer: red3)
  }
}
