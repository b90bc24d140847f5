extension LabDocument {
  /// Finds every mistake in the lab, or else chooses what its author left open.
  ///
  /// Choices are deterministic: the same lab gives the same addresses, MACs, ids and tags every time and everywhere.
  public func resolved(datapath: Datapath? = nil) throws(LabErrors) -> ResolvedLab {
    var resolver = Resolver(self, datapath: datapath ?? self.datapath)
    let lab = resolver.resolve()
    guard let lab, resolver.diagnostics.isEmpty else {
      throw LabErrors(diagnostics: resolver.diagnostics)
    }
    return lab
  }
}

/// Turns a document into a resolved lab, collecting mistakes on the way.
///
/// The stages stand in the files beside this one, in the order in which `resolve` calls them. Each goes on after a
/// mistake with whatever is still meaningful, so that one run finds them all.
struct Resolver {
  let document: LabDocument
  let datapath: Datapath
  var diagnostics: [Diagnostic] = []

  // What the stages find, in the document's order.
  var networks: [ResolvedNetwork] = []
  var networkIndex: [String: Int] = [:]
  var hostIndex: [String: Int] = [:]
  var vmIndex: [String: Int] = [:]
  /// The host of each VM, by index; `nil` where it has none (which is reported).
  var vmHosts: [Int?] = []
  var ports: [[ResolvedPort]] = []

  init(_ document: LabDocument, datapath: Datapath) {
    self.document = document
    self.datapath = datapath
  }

  mutating func resolve() -> ResolvedLab? {
    resolveNames()
    resolveNetworks()
    resolvePlacement()
    resolvePorts()
    resolveAddresses()
    resolveRoutes()
    let hosts = resolveHosts()
    // A check is looked at against what was found, so that a mistake elsewhere is not reported a second time here.
    let vms = document.vms.indices.compactMap { index -> ResolvedVM? in
      guard vmIndex[document.vms[index].name] == index else { return nil }
      return ResolvedVM(
        name: document.vms[index].name, host: vmHosts[index].map { document.hosts[$0].name } ?? "",
        ports: ports[index], location: document.vms[index].location)
    }
    let lab = ResolvedLab(
      name: document.name, datapath: datapath, networks: networks, hosts: hosts, vms: vms,
      checks: document.checks)
    resolveChecks(document.checks, in: lab)
    return diagnostics.isEmpty ? lab : nil
  }

  mutating func report(_ message: String, at location: SourceLocation?, fix: String? = nil) {
    diagnostics.append(Diagnostic(message, at: location, fix: fix))
  }

  private mutating func resolveNames() {
    if let problem = NameRule.problem(ofNode: document.name) {
      report(
        "the lab's name '\(document.name)' \(problem)", at: nil,
        fix: "name the type otherwise, or give the lab a `static let name`")
    }
    if document.vms.isEmpty {
      report(
        "the lab has no VM", at: document.hosts.first?.location,
        fix: "add one to the topology: Host(\"compute-1\") { VM(\"vm-1\").port(on: network) }")
    }
    // Hosts and VMs share one space of names, because both become namespaces.
    var nodes: [String: (kind: String, location: SourceLocation)] = [:]
    for (index, host) in document.hosts.enumerated() {
      if claim(host.name, kind: "host", at: host.location, in: &nodes) { hostIndex[host.name] = index }
    }
    for (index, vm) in document.vms.enumerated() {
      if claim(vm.name, kind: "VM", at: vm.location, in: &nodes) { vmIndex[vm.name] = index }
    }
  }

  private mutating func claim(
    _ name: String, kind: String, at location: SourceLocation,
    in nodes: inout [String: (kind: String, location: SourceLocation)]
  ) -> Bool {
    if let problem = NameRule.problem(ofNode: name) {
      report("the \(kind)'s name '\(name)' \(problem)", at: location)
    }
    if let other = nodes[name] {
      report(
        "'\(name)' is already the name of the \(other.kind) \(declared(other.location, from: location))",
        at: location)
      return false
    }
    nodes[name] = (kind, location)
    return true
  }

  /// `declared on line 6`, or with the file where it is another one.
  func declared(_ location: SourceLocation, from place: SourceLocation?) -> String {
    place?.file == location.file ? "declared on line \(location.line)" : "declared at \(location)"
  }

  /// `; did you mean 'focal-2'?` as a fix, or what there is.
  func suggestion(for name: String, among names: some Collection<String>, what: String) -> String? {
    if let near = nearest(to: name, in: names) { return "did you mean '\(near)'?" }
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(8).joined(separator: ", ")
    return "there is \(what) \(shown)\(names.count > 8 ? " … (\(names.count) in all)" : "")"
  }
}
