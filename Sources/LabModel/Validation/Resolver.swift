import LabKit
import Values

extension LabDocument {
  /// Finds every mistake in the lab, or else chooses what its author left open.
  ///
  /// Choices are deterministic: the same lab gives the same addresses, MACs, ids and tags every time and everywhere.
  package func resolved() throws(LabErrors) -> ResolvedLab {
    var resolver = Resolver(self)
    let lab = resolver.resolve()
    guard let lab, resolver.diagnostics.isEmpty else {
      // In the source's order; and a loop makes the same mistake many times, in the same words.
      throw LabErrors(diagnostics: resolver.diagnostics.uniqued().sorted { $0.precedes($1) })
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
  var datapath: Datapath { document.datapath }
  var diagnostics: [Diagnostic] = []

  // What the stages find, in the document's order.
  var networks: [ResolvedNetwork] = []
  var networkIndex: [String: Int] = [:]
  /// The networks with a subnet that was refused: whether an address belongs to one of those is not known.
  var unclearNetworks: Set<Int> = []
  var hostIndex: [String: Int] = [:]
  var vmIndex: [String: Int] = [:]
  /// The host of each VM, by index; `nil` where it has none (which is reported).
  var vmHosts: [Int?] = []
  /// What was wrong with that, so that it is said once.
  var misplaced: Set<Placement> = []
  var ports: [[ResolvedPort]] = []
  /// The ports and subports that were resolved, in the document's order.
  var declaredPorts: [DeclaredPort] = []
  private var suggestionsLeft = 100

  init(_ document: LabDocument) { self.document = document }

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
    if let problem = NameRule.node.problem(of: document.name) {
      report(
        "the lab's name '\(document.name)' \(problem)", at: nil,
        fix: "name the type otherwise, or give the lab a `static var name: String { \"my-lab\" }`")
    }
    if document.vms.isEmpty {
      let host = document.hosts.first
      report(
        "the lab has no VM", at: host?.location,
        fix:
          "add one to the topology: Host(\"\(host?.name ?? "compute-1")\") { VM(\"vm-1\").port(on: network) }"
      )
    }
    // Hosts and VMs share one space of names, because both become namespaces.
    var nodes: [String: Owner] = [:]
    for (index, host) in document.hosts.enumerated() {
      claim(host.name, kind: "host", at: host.location, in: &nodes)
      if hostIndex[host.name] == nil { hostIndex[host.name] = index }
    }
    for (index, vm) in document.vms.enumerated() {
      // One VM that stands in two hosts is a matter of placement.
      if let first = vmIndex[vm.name], document.vms[first].withoutHost == vm.withoutHost { continue }
      claim(vm.name, kind: "VM", at: vm.location, in: &nodes)
      if vmIndex[vm.name] == nil { vmIndex[vm.name] = index }
    }
  }

  private mutating func claim(
    _ name: String, kind: String, at location: SourceLocation, in nodes: inout [String: Owner]
  ) {
    if let problem = NameRule.node.problem(of: name) {
      report("the \(kind)'s name '\(name)' \(problem)", at: location, fix: NameRule.node.fix(for: name))
    }
    guard let other = nodes[name] else {
      nodes[name] = Owner(what: "a \(kind)", location: location)
      return
    }
    report(
      "'\(name)' is already the name of \(described(other, from: location))", at: location,
      fix: other.what == "a \(kind)"
        ? "rename one of them; to name one \(kind) twice, keep it in a `let` and use that"
        : "rename one of them")
  }

  /// `a VM, declared on line 6`, or with the file where it is another one.
  func described(_ owner: Owner, from place: SourceLocation) -> String {
    let location = owner.location
    return
      "\(owner.what), declared \(place.file == location.file ? "on line \(location.line)" : "at \(location)")"
  }

  /// What a mistyped name was meant to be, or what there is. Looked for a hundred times at most: a loop can
  /// mistype thousands of names.
  mutating func suggestion(for name: String, among names: some Collection<String>, what: String) -> String? {
    guard suggestionsLeft > 0, !names.isEmpty else { return nil }
    suggestionsLeft -= 1
    if let near = nearest(to: name, in: names) { return "did you mean '\(near)'?" }
    let shown = names.prefix(8).joined(separator: ", ")
    return "the lab's \(what)s: \(shown)\(names.count > 8 ? " … (\(names.count) in all)" : "")"
  }
}

/// Who has a name, an address or an id already: `eth0 of 'focal-1'`, and where that is declared.
struct Owner {
  var what: String
  var location: SourceLocation
}

extension Sequence where Element: Hashable {
  /// Each element once, in the order of its first appearance.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
