import LabKit
import Values

extension Resolver {
  /// Which host each VM runs on: the one whose braces hold it or its ports.
  mutating func resolvePlacement() {
    vmHosts = Array(repeating: nil, count: document.vms.count)
    // Ports first: where a VM stands in two hosts, the port is the better place to point at.
    for port in document.ports { place(port.vm, on: port.host, at: port.location) }
    for vm in document.vms { place(vm.name, on: vm.host, at: vm.location) }

    let host = document.hosts.first?.name ?? "compute-1"
    for (index, vm) in document.vms.enumerated() {
      guard vmIndex[vm.name] == index, vmHosts[index] == nil, !misplaced.contains(Placement(vm: index)) else {
        continue
      }
      report(
        "VM '\(vm.name)' is on no host", at: vm.location,
        fix: "put it or its port in a host's braces: Host(\"\(host)\") { … }")
    }
  }

  private mutating func place(_ name: String, on host: String?, at location: SourceLocation) {
    guard let host, let vm = vmIndex[name] else { return }
    guard let found = hostIndex[host] else {
      misplaced.insert(Placement(vm: vm))
      report(
        "there is no host '\(host)'", at: location,
        fix: suggestion(for: host, among: document.hosts.map(\.name), what: "host"))
      return
    }
    guard let other = vmHosts[vm], other != found else {
      vmHosts[vm] = found
      return
    }
    guard misplaced.insert(Placement(vm: vm, host: found)).inserted else { return }
    let first = document.hosts[other].name
    report(
      "VM '\(name)' is on host '\(first)' and cannot be on '\(host)' too", at: location,
      fix: "keep it and all its ports in the braces of '\(first)', or use another VM")
  }
}

/// A VM with a host that it cannot be on, or that does not exist.
struct Placement: Hashable {
  var vm: Int
  var host: Int?
}
