import LabKit

/// Many VMs on one network: `netlab test Labs/Crowd.swift --set vms=100`.
@main
struct Crowd: Lab {
  @Parameter("How many VMs") var vms = 50
  let net = Network("crowd", subnet: "10.0.0.0/16")

  var crowd: [VM] { (1...max(vms, 1)).map { VM("vm-\($0)") } }

  var topology: some Topology {
    Host("compute-1") {
      for vm in crowd { vm.port(on: net) }
    }
  }

  var checks: some Checks {
    // A mesh: each VM pings its next neighbours round a ring, and one on the other side of it.
    let crowd = crowd
    for (index, vm) in crowd.enumerated() where crowd.count > 1 {
      for other in Set([index + 1, index + 2, index + crowd.count / 2].map { $0 % crowd.count }).sorted()
      where other != index {
        Ping(from: vm, to: crowd[other], count: 1)
      }
    }
    if crowd.count > 2 {
      SameTag(crowd[0], crowd[crowd.count - 1])
      NotFlooded(from: crowd[0], to: crowd[1], observer: crowd[2])
    }
  }
}
