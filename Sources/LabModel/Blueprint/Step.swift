import LabKit
import Values

/// One request to the kernel.
///
/// A plan has thousands, which are put in order: so they are small, and hold what they are about elsewhere.
package indirect enum Step: Hashable, Sendable {
  case addNamespace(Namespace)
  case deleteNamespace(Namespace)
  case writeSysctl(Sysctl)
  /// Creates a bridge or a subinterface.
  case addLink(Link)
  /// Creates a cable: both ends in one request, each in its namespace.
  case addVethPair(outer: Link, inner: Link)
  case changeLink(LinkChange)
  case changePort(PortChange)
  case changeOffloads(PortChange)
  case addAltname(String, Link)
  case deleteAltname(String, Link)
  case deleteLink(Link)
  case addVLAN(BridgeVLAN)
  case deleteVLAN(BridgeVLAN)
  case addAddress(Address)
  case deleteAddress(Address)
  case addRoute(RouteEntry)
  case deleteRoute(RouteEntry)
  case addEntry(TableEntry)
  case deleteEntry(TableEntry)

  /// The namespace in which the request is made.
  package var namespace: String {
    switch self {
    case .addNamespace(let value), .deleteNamespace(let value): value.name
    case .writeSysctl(let value): value.namespace
    case .addLink(let value), .addVethPair(let value, _), .deleteLink(let value): value.namespace
    case .addAltname(_, let value), .deleteAltname(_, let value): value.namespace
    case .changeLink(let value): value.namespace
    case .changePort(let value), .changeOffloads(let value): value.namespace
    case .addVLAN(let value), .deleteVLAN(let value): value.namespace
    case .addAddress(let value), .deleteAddress(let value): value.namespace
    case .addRoute(let value), .deleteRoute(let value): value.namespace
    case .addEntry(let value), .deleteEntry(let value): value.namespace
    }
  }

  /// What in the lab this step is there for.
  package var origin: SourceLocation? {
    switch self {
    case .addNamespace(let value), .deleteNamespace(let value): value.origin
    case .writeSysctl(let value): value.origin
    case .addLink(let value), .addVethPair(let value, _), .deleteLink(let value): value.origin
    case .addAltname(_, let value), .deleteAltname(_, let value): value.origin
    case .changeLink(let value): value.origin
    case .changePort(let value), .changeOffloads(let value): value.origin
    case .addVLAN(let value), .deleteVLAN(let value): value.origin
    case .addAddress(let value), .deleteAddress(let value): value.origin
    case .addRoute(let value), .deleteRoute(let value): value.origin
    case .addEntry, .deleteEntry: nil
    }
  }
}

extension Step {
  /// The step as a person would type it.
  package var commands: [String] {
    switch self {
    case .addNamespace(let value): return ["ip netns add \(value.name)"]
    case .deleteNamespace(let value): return ["ip netns delete \(value.name)"]
    case .writeSysctl(let value):
      return ["ip netns exec \(value.namespace) sysctl -qw \(value.key)=\(value.value)"]
    case .addLink(let link): return addCommands(link)
    case .addVethPair(let outer, let inner):
      let peer = ["peer name \(inner.name) netns \(inner.namespace)"] + creationWords(inner)
      return [
        (["ip -n \(outer.namespace) link add name \(outer.name)"] + creationWords(outer) + ["type veth"]
          + peer)
          .joined(separator: " ")
      ] + setCommands(LinkChange(afterCreating: outer))
    case .changeLink(let change): return setCommands(change)
    case .changePort(let change):
      return ["bridge -n \(change.namespace) link set dev \(change.name) \(words(change.options))"]
    case .changeOffloads(let change):
      return [
        "ip netns exec \(change.namespace) ethtool -K \(change.name.shellQuoted) \(words(change.options))"
      ]
    case .addAltname(let name, let link):
      return [
        "ip -n \(link.namespace) link property add dev \(link.name.shellQuoted) altname \(name.shellQuoted)"
      ]
    case .deleteAltname(let name, let link):
      return [
        "ip -n \(link.namespace) link property del dev \(link.name.shellQuoted) altname \(name.shellQuoted)"
      ]
    case .deleteLink(let link): return ["ip -n \(link.namespace) link delete dev \(link.name.shellQuoted)"]
    case .addVLAN(let vlan):
      let flags = (vlan.isPVID ? " pvid" : "") + (vlan.isUntagged ? " untagged" : "")
      return [
        "bridge -n \(vlan.namespace) vlan add dev \(vlan.device.shellQuoted) vid \(vlan.vid)\(flags)\(vlan.isOnBridge ? " self" : "")"
      ]
    case .deleteVLAN(let vlan):
      return [
        "bridge -n \(vlan.namespace) vlan delete dev \(vlan.device.shellQuoted) vid \(vlan.vid)\(vlan.isOnBridge ? " self" : "")"
      ]
    case .addAddress(let address):
      let flags = address.address.family == .ipv6 ? " nodad" : ""
      return [
        "ip -n \(address.namespace) address add \(address.address) dev \(address.device.shellQuoted)\(flags)"
      ]
    case .deleteAddress(let address):
      return [
        "ip -n \(address.namespace) address delete \(address.address) dev \(address.device.shellQuoted)"
      ]
    case .addRoute(let route): return ["ip -n \(route.namespace) route add \(routeWords(route))"]
    case .deleteRoute(let route): return ["ip -n \(route.namespace) route delete \(routeWords(route))"]
    case .addEntry(let entry): return [entry.command("add")]
    case .deleteEntry(let entry): return [entry.command("delete")]
    }
  }

  private func words(_ options: LinkOptions) -> String {
    LinkOption.allCases.compactMap { option in options[option].map { option.words($0) } }.joined(
      separator: " ")
  }

  private func addCommands(_ link: Link) -> [String] {
    let type: String
    let parent: String
    switch link.kind {
    case .bridge(let options):
      parent = ""
      type = (["bridge"] + options.words.map { "\($0.option) \($0.value)" }).joined(separator: " ")
    case .vlan(let id, let device):
      parent = "link \(device) "
      type = "vlan id \(id)"
    case .loopback, .veth, .other:
      parent = ""
      type = link.kind.word
    }
    let add =
      ["ip -n \(link.namespace) link add \(parent)name \(link.name)"] + creationWords(link) + ["type \(type)"]
    return [add.joined(separator: " ")] + setCommands(LinkChange(afterCreating: link))
  }

  private func creationWords(_ link: Link) -> [String] {
    [
      link.mac.map { "address \($0)" }, link.mtu.map { "mtu \($0)" },
      // See the netlink library's `NewLink.queues`: without it, the kernel makes more, and takes them away again.
      link.kind.word == "veth" ? "numtxqueues 1 numrxqueues 1" : nil,
    ].compactMap { $0 }
  }

  private func setCommands(_ change: LinkChange) -> [String] {
    let parts =
      [
        change.presentName.map { _ in "name \(change.name)" }, change.mac.map { "address \($0)" },
        change.mtu.map { "mtu \($0)" },
        change.master.map { $0.isEmpty ? "nomaster" : "master \($0.shellQuoted)" },
        change.isPromiscuous.map { "promisc \($0 ? "on" : "off")" },
        change.alias.map { "alias \($0.shellQuoted)" },
        change.isUp.map { $0 ? "up" : "down" },
        change.options.isEmpty ? nil : words(change.options),
      ].compactMap { $0 }
    let device = "ip -n \(change.namespace) link set dev \((change.presentName ?? change.name).shellQuoted)"
    let bridge = change.bridge.words.map { "\($0.option) \($0.value)" }
    return (parts.isEmpty ? [] : ["\(device) \(parts.joined(separator: " "))"])
      + (bridge.isEmpty ? [] : ["\(device) type bridge \(bridge.joined(separator: " "))"])
  }

  private func routeWords(_ route: RouteEntry) -> String {
    let usual = RouteEntry(namespace: "", destination: route.destination, device: nil).metric
    return [
      route.type == "unicast" ? nil : route.type, route.destinationText, route.gateway.map { "via \($0)" },
      route.device.map { "dev \($0.shellQuoted)" }, route.metric == usual ? nil : "metric \(route.metric)",
    ].compactMap { $0 }.joined(separator: " ")
  }
}

extension LinkChange {
  /// What the kernel takes in the same request that creates a link, though `ip` needs a second command for it.
  package init(afterCreating link: Link) {
    self.init(of: link)
    master = link.master
    isPromiscuous = link.isPromiscuous ? true : nil
    isUp = link.isUp ? true : nil
  }
}

extension String {
  /// The text as one word for a shell: what was found in the kernel can have any name.
  fileprivate var shellQuoted: String {
    let isPlain = { (byte: UInt8) in byte.isLetterOrDigit || "-_./:@%+=,".utf8.contains(byte) }
    return !isEmpty && utf8.allSatisfy(isPlain) ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}
