import LabKit
import Values

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
      for problem in references.problems { report(problem, at: value.location) }
      if let (reason, fix) = references.idleness {
        warnings.append(Diagnostic(reason, at: value.location, fix: fix, kind: .warning))
      }
      for pattern in references.patterns { checkPattern(pattern, at: value.location) }
      for filter in references.filters where filter.hasPrefix("-") || filter.contains(where: \.isNewline) {
        report("'\(filter)' is not a capture filter", at: value.location, fix: "write one such as \"icmp\"")
      }
      for vm in references.vms.uniqued() { checkVM(vm, in: lab, at: value.location) }
      for path in references.paths { checkPath(path, in: lab, at: value.location) }
      for name in references.bystanders {
        checkBystander(name, of: references.paths, in: lab, at: value.location)
      }
      for point in references.points { checkPoint(point, in: lab, at: value.location) }
      if let pairs = references.pairs, diagnostics.isEmpty { checkPairs(pairs, in: lab, at: value.location) }
      resolveChecks(references.nested, in: lab)
    }
  }

  private mutating func checkPattern(_ pattern: String, at location: SourceLocation) {
    // Longer ones can be nested so deeply that the parser runs out of stack.
    let limit = 500
    guard pattern.utf8.count <= limit else {
      return report("a regular expression cannot be longer than \(limit) characters", at: location)
    }
    do { _ = try Regex(pattern) } catch {
      report("'\(pattern)' is not a regular expression: \(error)", at: location)
    }
  }

  /// A VM that does something in a check exists, and is on a network.
  private mutating func checkVM(_ name: String, in lab: ResolvedLab, at location: SourceLocation) {
    guard let vm = lab.vm(name) else { return reportUnknownNode(name, kind: "VM", in: lab, at: location) }
    if vm.ports.isEmpty, !document.ports.contains(where: { $0.node == name }) {
      report(
        "VM '\(name)' has no port", at: location, fix: "give it one: VM(\"\(name)\").port(on: network)")
    }
  }

  private mutating func checkPath(
    _ path: (from: String, to: Endpoint), in lab: ResolvedLab, at location: SourceLocation
  ) {
    let isAddress = IPAddress(path.to.name) != nil
    if lab.vm(path.to.name) == nil, !isAddress {
      reportUnknownNode(path.to.name, kind: "VM", in: lab, at: location)
    }
    if lab.vm(path.from)?.ports.isEmpty == false {
      checkAddress(of: path.from, on: nil, in: lab, at: location)
    }
    if checkNetwork(path.to.network, of: path.to.name, in: lab, at: location) {
      checkAddress(of: path.to.name, on: path.to.network, in: lab, at: location)
    }
  }

  private mutating func checkBystander(
    _ name: String, of paths: [(from: String, to: Endpoint)], in lab: ResolvedLab, at location: SourceLocation
  ) {
    for path in paths {
      let target = IPAddress(path.to.name).flatMap { lab.port(owning: $0)?.vm.name } ?? path.to.name
      guard name == path.from || name == target else { continue }
      report(
        "the observer '\(name)' is the \(name == path.from ? "sender" : "target") itself", at: location,
        fix: "name a third VM")
    }
  }

  /// Where a port's network has a subnet and the port has no address, what is wrong has been said already.
  private mutating func checkAddress(
    of name: String, on network: String?, in lab: ResolvedLab, at location: SourceLocation
  ) {
    guard let vm = lab.vm(name) else { return }
    let ports = vm.allPorts.filter { network == nil || networks[$0.network].name == network }
    let isBare = ports.allSatisfy {
      $0.addresses.isEmpty && networks[$0.network].subnets.isEmpty && !unclearNetworks.contains($0.network)
    }
    guard isBare, network != nil || !ports.isEmpty || !document.ports.contains(where: { $0.node == name })
    else {
      return
    }
    report(
      "VM '\(name)' has no address\(network.map { " on network '\($0)'" } ?? "")", at: location,
      fix: ports.first.map { "give network '\(networks[$0.network].name)' a subnet" }
        ?? "give it a port on a network with a subnet")
  }

  /// True if the VM has a port on the network, or none is named.
  private mutating func checkNetwork(
    _ network: String?, of name: String, in lab: ResolvedLab, at location: SourceLocation
  ) -> Bool {
    guard let network else { return true }
    guard networkIndex[network] != nil else {
      report(
        "there is no network '\(network)'", at: location,
        fix: suggestion(for: network, among: networks.map(\.name), what: "network"))
      return false
    }
    guard let vm = lab.vm(name) else { return false }
    let own = vm.allPorts.map { networks[$0.network].name }.uniqued()
    if own.contains(network) { return true }
    report(
      "VM '\(name)' has no port on network '\(network)'", at: location,
      fix: own.isEmpty ? nil : "it has one on \(own.joined(separator: ", "))")
    return false
  }

  private mutating func checkPoint(_ point: CapturePoint, in lab: ResolvedLab, at location: SourceLocation) {
    if case .device(let device) = point.place {
      if let problem = NameRule.device.problem(of: device), device != "lo" {
        report(
          "the interface's name '\(device)' \(problem)", at: location, fix: NameRule.device.fix(for: device))
      }
      if lab.node(point.node) == nil {
        reportUnknownNode(point.node, kind: "node", in: lab, at: location)
      }
      return
    }
    checkVM(point.node, in: lab, at: location)
    switch point.place {
    case .port(let network), .fabric(_, let network):
      _ = checkNetwork(network, of: point.node, in: lab, at: location)
    case .device: break
    }
  }

  private mutating func reportUnknownNode(
    _ name: String, kind: String, in lab: ResolvedLab, at location: SourceLocation
  ) {
    if lab.node(name)?.declaration is Host {
      report(
        "'\(name)' is a host, and this is for VMs", at: location,
        fix: "name a VM; to capture on a host, name its device: Host(\"\(name)\").device(\"br-int\")")
      return
    }
    let names = kind == "VM" ? lab.vms.map(\.name) : lab.nodes.map(\.name)
    report(
      "there is no \(kind) '\(name)'", at: location, fix: suggestion(for: name, among: names, what: kind))
  }
}
