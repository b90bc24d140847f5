import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// Finds what somebody added by hand to the tables of a lab's namespace: fixed neighbours and forwarding entries, routing
/// rules, and queueing disciplines. What the kernel learns or has by itself is none of it.
struct EntryReader {
  let namespace: OpenNamespace
  let links: [Netlink.Link]
  /// The names of the lab's own devices; what is at others' is theirs.
  let names: [Int32: String]

  func read() throws(NetlinkError) -> [LabModel.TableEntry] {
    let hasBridges = links.contains { if case .bridge = $0.kind { true } else { false } }
    let own = Set(links.compactMap(\.address))
    return try namespace.connection.tableEntries(withBridges: hasBridges).compactMap { entry in
      switch entry.content {
      case .neighbour(let neighbour): described(neighbour, entry)
      case .forwarding(let forwarding): described(forwarding, entry, own: own)
      case .rule(let rule): described(rule, entry)
      case .qdisc(let qdisc): described(qdisc, entry)
      }
    }
  }

  private func described(_ neighbour: Netlink.Neighbour, _ entry: Netlink.TableEntry) -> LabModel.TableEntry?
  {
    guard neighbour.state.contains(.permanent), let device = names[neighbour.link], device != "lo"
    else { return nil }
    let hardware = neighbour.linkLayerAddress.map { " lladdr \($0)" } ?? ""
    return made(.neighbour, "\(neighbour.address)\(hardware) dev \(device) nud permanent", entry, device)
  }

  private func described(
    _ found: ForwardingEntry, _ entry: Netlink.TableEntry, own: Set<MACAddress>
  ) -> LabModel.TableEntry? {
    // The device's own filter, and the addresses that are the bridge's by themselves.
    let isLocal = found.state.contains(.permanent)
    guard isLocal || found.state.contains(.noARP), !found.flags.contains(.own),
      !(isLocal && own.contains(found.address)), let device = names[found.link]
    else { return nil }
    let vlan = found.vlan.map { " vlan \($0)" } ?? ""
    let place = found.isOfBridge ? "self" : "master"
    return made(
      .forwarding, "\(found.address) dev \(device)\(vlan) \(place) \(isLocal ? "permanent" : "static")",
      entry,
      device)
  }

  /// The rules that each namespace has.
  private static let usualRules: [UInt32: UInt32] = [
    0: Netlink.Route.localTable, 32766: Netlink.Route.mainTable, 32767: 253,
  ]

  private func described(_ rule: Rule, _ entry: Netlink.TableEntry) -> LabModel.TableEntry? {
    let conditions = [
      rule.source.map { "from \($0)" }, rule.destination.map { "to \($0)" },
      rule.inputLink.map { "iif \($0.terminalSafe)" }, rule.outputLink.map { "oif \($0.terminalSafe)" },
      rule.mark.map { "fwmark \($0)" },
    ].compactMap { $0 }
    let isUsual = rule.action == .lookUp && Self.usualRules[rule.priority] == rule.table
    guard !isUsual || !conditions.isEmpty else { return nil }
    let action: String =
      switch rule.action {
      case .lookUp: "lookup \(rule.table)"
      case .blackhole: "blackhole"
      case .unreachable: "unreachable"
      case .prohibit: "prohibit"
      default: "nop"
      }
    let words = ["priority \(rule.priority)"] + conditions + [action]
    return made(.rule, words.joined(separator: " "), entry, nil, isIPv6: rule.isIPv6)
  }

  private func described(_ qdisc: Qdisc, _ entry: Netlink.TableEntry) -> LabModel.TableEntry? {
    // The kernel's own have no handle. What hangs below goes with what it hangs under.
    guard qdisc.handle != 0, let device = names[qdisc.link],
      let place = [0xffff_ffff: "root \(qdisc.kind)", 0xffff_fff1: qdisc.kind][qdisc.parent]
    else { return nil }
    return made(.qdisc, "dev \(device) \(place.terminalSafe)", entry, device)
  }

  private func made(
    _ table: LabModel.TableEntry.Table, _ words: String, _ entry: Netlink.TableEntry, _ device: String?,
    isIPv6: Bool = false
  ) -> LabModel.TableEntry {
    LabModel.TableEntry(
      namespace: namespace.name, table: table, words: words, message: entry.message, device: device,
      isIPv6: isIPv6)
  }
}
