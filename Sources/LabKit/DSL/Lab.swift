@_exported public import Values

/// A lab: the topology its author means, and the checks that prove it.
///
/// ```swift
/// @main
/// struct TwoVMs: Lab {
///   let net = Network("int_net", subnet: "192.168.21.0/24")
///   let web = VM("web")
///   let db = VM("db")
///
///   var topology: some Topology {
///     Host("compute-1") {
///       web.port(on: net)
///       db.port(on: net)
///     }
///   }
///
///   var checks: some Checks {
///     Ping(from: web, to: db)
///   }
/// }
/// ```
public protocol Lab {
  associatedtype TopologyBody: Topology
  associatedtype ChecksBody: Checks

  init()

  /// What the lab is called: the first part of its namespaces' names. By default the type's name in kebab case.
  static var name: String { get }

  /// How the topology becomes kernel objects, unless the command line says otherwise.
  var datapath: Datapath { get }

  /// Hosts, and the ports of the VMs they run.
  @TopologyBuilder var topology: TopologyBody { get }

  /// What must hold on the running lab.
  @ChecksBuilder var checks: ChecksBody { get }
}

extension Lab {
  public static var name: String { kebabCase(String(describing: Self.self)) }
  public var datapath: Datapath { .hybrid }
  public var checks: CheckGroup { CheckGroup(checkList: []) }
}

/// How a topology becomes kernel objects.
public enum Datapath: String, Codable, Hashable, Sendable, CaseIterable {
  /// Neutron's ML2/OVS wiring with hybrid plug: tap → qbr → qvb/qvo → `br-int`, one VLAN tag per network.
  case hybrid
  /// Neutron's linuxbridge agent: taps straight in one `brq` bridge per network; needs no VLAN filtering.
  case linuxbridge
}

/// `TwoVMs` → `two-vms`: a dash before each capital that follows a small letter or digit, or that begins a new word.
func kebabCase(_ name: String) -> String {
  let letters = Array(name)
  var result = ""
  for (index, letter) in letters.enumerated() {
    if letter == "_" {
      result += "-"
      continue
    }
    if letter.isUppercase, index > 0, letters[index - 1] != "_" {
      let afterSmall = !letters[index - 1].isUppercase
      // "HTTPServer" is http-server, but the s of "VMs" is a plural, not a word.
      let rest = letters[(index + 1)...].prefix(2)
      let beginsWord = rest.count == 2 && rest.allSatisfy { $0.isLowercase }
      if afterSmall || beginsWord { result += "-" }
    }
    result += letter.lowercased()
  }
  return result
}
