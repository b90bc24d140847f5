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
    let crowd = crowd
    if crowd.count > 1 { AllPairs() }
    if crowd.count > 2 {
      SameTag(crowd[0], crowd[crowd.count - 1])
      NotFlooded(from: crowd[0], to: crowd[1], observer: crowd[2])
    }
  }
}
