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
package struct Resolver {
  let document: LabDocument
  var datapath: Datapath { document.datapath }
  var diagnostics: [Diagnostic] = []
  var warnings: [Diagnostic] = []

  // What the stages find, in the document's order.
  var networks: [ResolvedNetwork] = []
  var networkIndex: [String: Int] = [:]
  /// The networks with a subnet that was refused: whether an address belongs to one of those is not known.
  var unclearNetworks: Set<Int> = []
  /// The document's nodes, kind by kind.
  let nodes: [Node]
  /// By name: the nodes that run on hosts, and the hosts. They are apart, so that one name for both is one mistake.
  private(set) var placedIndex: [String: Int] = [:]
  private(set) var hostIndex: [String: Int] = [:]
  /// The host of each node, by index; `nil` where it has none (which is reported).
  var nodeHosts: [Int?] = []
  /// What was wrong with that, so that it is said once.
  var misplaced: Set<Placement> = []
  /// The ports of each node, by index.
  var ports: [[ResolvedPort]] = []
  /// The ports and subports that were resolved, in the document's order.
  var declaredPorts: [DeclaredPort] = []
  /// In an order in which each comes after those that it needs.
  var services: [Service] = []
  /// Who has a device name on a host, by the host's name.
  private var hostDevices: [String: [String: Owner]] = [:]
  private var suggestionsLeft = 100

  init(_ document: LabDocument) {
    self.document = document
    // `sorted` keeps no order among equals, so the position decides there.
    nodes = document.nodes.enumerated().sorted {
      ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
    }
    .map(\.element)
  }

  mutating func resolve() -> ResolvedLab? {
    resolveNames()
    resolveNetworks()
    resolvePlacement()
    resolvePorts()
    resolveAddresses()
    checkSubnetsOfNodes()
    resolveRoutes()
    resolveMachines()
    resolveServices()
    // A check is looked at against what was found, so that a mistake elsewhere is not reported a second time here.
    var lab = ResolvedLab(
      document, networks: networks, nodes: resolvedNodes(), services: services)
    checkHosts(of: lab)
    resolveChecks(document.checks, in: lab)
    lab.warnings = warnings
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
    if !nodes.contains(where: \.standsOnHost) {
      let host = nodes.first
      report(
        "the lab has no VM", at: host?.location,
        fix:
          "add one to the topology: Host(\"\(host?.name ?? "compute-1")\") { VM(\"vm-1\").port(on: network) }"
      )
    }
    // Nodes of all kinds share one space of names, because all become namespaces.
    var owners: [String: Owner] = [:]
    for (index, node) in nodes.enumerated() {
      // One node that stands in two hosts is a matter of placement.
      if node.standsOnHost, let first = placedIndex[node.name], nodes[first].unplaced == node.unplaced {
        continue
      }
      claim(node.name, kind: node.word, at: node.location, in: &owners)
      if node.standsOnHost {
        placedIndex[node.name] = placedIndex[node.name] ?? index
      } else {
        hostIndex[node.name] = hostIndex[node.name] ?? index
      }
    }
  }

  /// The names of the nodes that run on hosts, or of the hosts.
  func names(onHosts: Bool) -> [String] { nodes.filter { $0.standsOnHost == onHosts }.map(\.name) }

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

  /// Takes a device name on a host that is made of more, or of less, than what was found to be unique.
  mutating func claimDevice(_ name: String, on host: ResolvedNode, by owner: Owner) {
    guard let other = hostDevices[host.name, default: [:]].updateValue(owner, forKey: name) else { return }
    report(
      "the device name \(name) on host '\(host.name)' is already that of \(described(other, from: owner.location))",
      at: owner.location, fix: "give one of the two another id")
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
