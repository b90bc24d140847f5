import LabKit

extension Resolver {
  /// Which host each node runs on: the one whose braces hold it or its ports.
  mutating func resolvePlacement() {
    nodeHosts = Array(repeating: nil, count: nodes.count)
    // Ports first: where a node stands in two hosts, the port is the better place to point at.
    for port in document.ports { place(port.node, on: port.host, at: port.location) }
    for node in nodes { place(node.name, on: node.host, at: node.location) }

    let host = names(onHosts: false).first ?? "compute-1"
    for (index, node) in nodes.enumerated() where node.standsOnHost {
      guard placedIndex[node.name] == index, nodeHosts[index] == nil,
        !misplaced.contains(Placement(node: index))
      else { continue }
      report(
        "\(node.word) '\(node.name)' is on no host", at: node.location,
        fix: "put it or its port in a host's braces: Host(\"\(host)\") { … }")
    }
  }

  private mutating func place(_ name: String, on host: String?, at location: SourceLocation) {
    guard let host, let node = placedIndex[name] else { return }
    guard let found = hostIndex[host] else {
      misplaced.insert(Placement(node: node))
      report(
        "there is no host '\(host)'", at: location,
        fix: suggestion(for: host, among: names(onHosts: false), what: "host"))
      return
    }
    guard let other = nodeHosts[node], other != found else {
      nodeHosts[node] = found
      return
    }
    guard misplaced.insert(Placement(node: node, host: found)).inserted else { return }
    let first = nodes[other].name
    report(
      "\(nodes[node].word) '\(name)' is on host '\(first)' and cannot be on '\(host)' too", at: location,
      fix: "keep it and all its ports in the braces of '\(first)', or use another \(nodes[node].word)")
  }
}

/// A node with a host that it cannot be on, or that does not exist.
struct Placement: Hashable {
  var node: Int
  var host: Int?
}
