/// What can stand in a lab's topology: hosts, VMs, networks, ports, services, and groups of them.
public protocol Topology {
  var topologyGroup: TopologyGroup { get }
}

/// One thing that a topology declares.
package enum Declaration: Hashable, Sendable {
  case network(Network)
  case node(Node)
  case port(Port)
  case service(Service)
}

/// Several declarations together; what `for`, `if` and functions returning `some Topology` make.
public struct TopologyGroup: Topology {
  package let declarations: [Declaration]

  public var topologyGroup: TopologyGroup { self }
}

/// Collects declarations in the order they are written.
@resultBuilder
public enum TopologyBuilder {
  public static func buildExpression(_ element: some Topology) -> TopologyGroup {
    element.topologyGroup
  }
  public static func buildExpression(_ elements: [some Topology]) -> TopologyGroup {
    TopologyGroup(declarations: elements.flatMap(\.topologyGroup.declarations))
  }
  @available(*, unavailable, message: "a check stands in `var checks: some Checks`, not in the topology")
  public static func buildExpression(_ check: some Checks) -> TopologyGroup {
    TopologyGroup(declarations: [])
  }
  public static func buildBlock(_ parts: TopologyGroup...) -> TopologyGroup { buildArray(parts) }
  public static func buildOptional(_ part: TopologyGroup?) -> TopologyGroup {
    part ?? TopologyGroup(declarations: [])
  }
  public static func buildEither(first part: TopologyGroup) -> TopologyGroup { part }
  public static func buildEither(second part: TopologyGroup) -> TopologyGroup { part }
  public static func buildArray(_ parts: [TopologyGroup]) -> TopologyGroup {
    TopologyGroup(declarations: parts.flatMap(\.declarations))
  }
}
