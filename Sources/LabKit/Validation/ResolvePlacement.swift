extension Resolver {
  /// Which host each VM runs on: the one whose braces hold it or its ports.
  mutating func resolvePlacement() {
    vmHosts = Array(repeating: nil, count: document.vms.count)
    var misplaced: Set<Int> = []
    for vm in document.vms { place(vm.name, on: vm.host, at: vm.location, misplaced: &misplaced) }
    for port in document.ports { place(port.vm, on: port.host, at: port.location, misplaced: &misplaced) }

    let host = document.hosts.first?.name ?? "compute-1"
    for (index, vm) in document.vms.enumerated() {
      guard vmIndex[vm.name] == index, vmHosts[index] == nil, !misplaced.contains(index) else { continue }
      report(
        "VM '\(vm.name)' is on no host", at: vm.location,
        fix: "put it or its port in a host's braces: Host(\"\(host)\") { … }")
    }
  }

  private mutating func place(
    _ name: String, on host: String?, at location: SourceLocation, misplaced: inout Set<Int>
  ) {
    guard let host, let vm = vmIndex[name] else { return }
    guard let found = hostIndex[host] else {
      misplaced.insert(vm)
      report(
        "there is no host '\(host)'", at: location,
        fix: suggestion(for: host, among: document.hosts.map(\.name), what: "host"))
      return
    }
    guard let other = vmHosts[vm], other != found else {
      vmHosts[vm] = found
      return
    }
    let first = document.hosts[other].name
    report(
      "VM '\(name)' is on host '\(first)' and cannot be on '\(host)' too", at: location,
      fix: "keep all its ports in the braces of '\(first)', or use another VM")
  }
}
