extension Resolver {
  /// Checks: what they refer to exists, and what they send to has an address.
  mutating func resolveChecks(_ checks: [Check], in lab: ResolvedLab) {
    for check in checks {
      let value = check.value
      let references = value.references
      for number in references.numbers where !number.range.contains(number.value) {
        report(
          "\(number.name) \(number.value) is not in \(number.range.lowerBound)…\(number.range.upperBound)",
          at: value.location)
      }
      for pattern in references.patterns {
        do { _ = try Regex(pattern) } catch {
          report("'\(pattern)' is not a regular expression: \(error)", at: value.location)
        }
      }
      for vm in references.vms.uniqued() where vmIndex[vm] == nil {
        reportUnknownNode(vm, kind: "VM", in: vmIndex.keys.sorted(), at: value.location)
      }
      for path in references.paths { checkPath(path, in: lab, at: value.location) }
      for point in references.points { checkPoint(point, in: lab, at: value.location) }
      resolveChecks(references.nested, in: lab)
    }
  }

  private mutating func checkPath(
    _ path: (from: String, to: Endpoint), in lab: ResolvedLab, at location: SourceLocation
  ) {
    if let network = path.to.network, networkIndex[network] == nil {
      report(
        "there is no network '\(network)'", at: location,
        fix: suggestion(for: network, among: networks.map(\.name), what: "network"))
      return
    }
    guard let vm = lab.vm(path.to.name) else {
      if IPAddress(path.to.name) == nil {
        reportUnknownNode(path.to.name, kind: "VM", in: vmIndex.keys.sorted(), at: location)
      }
      return
    }
    do throws(NoAddress) { _ = try lab.address(of: path.to, from: path.from) } catch {
      // Where a subnet is there and the address was wrong or could not be chosen, that has been said already.
      guard path.to.network != nil || vm.allPorts.allSatisfy({ networks[$0.network].subnets.isEmpty }) else {
        return
      }
      report("\(error)", at: location, fix: "give a port of '\(vm.name)' an address, or its network a subnet")
    }
  }

  private mutating func checkPoint(_ point: CapturePoint, in lab: ResolvedLab, at location: SourceLocation) {
    guard let vm = lab.vm(point.node) else {
      if hostIndex[point.node] != nil, case .device = point.place { return }
      reportUnknownNode(
        point.node, kind: hostIndex[point.node] == nil ? "node" : "VM", in: lab.nodes, at: location)
      return
    }
    switch point.place {
    case .device(let device):
      if let problem = NameRule.problem(ofDevice: device), device != "lo" {
        report("the interface's name '\(device)' \(problem)", at: location)
      }
    case .port(let network), .fabric(_, let network):
      guard let network else {
        if vm.ports.isEmpty { report("VM '\(vm.name)' has no port", at: location) }
        return
      }
      if !vm.ports.contains(where: { networks[$0.network].name == network }) {
        report("VM '\(vm.name)' has no port on network '\(network)'", at: location)
      }
    }
  }

  private mutating func reportUnknownNode(
    _ name: String, kind: String, in names: [String], at location: SourceLocation
  ) {
    report(
      "there is no \(kind) '\(name)'", at: location, fix: suggestion(for: name, among: names, what: kind))
  }
}
