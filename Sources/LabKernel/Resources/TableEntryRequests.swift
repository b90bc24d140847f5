import LabKit
import LabModel
import Netlink
import Values

extension LabModel.TableEntry: KernelResource, Requested {
  package static let aspects: KernelState.Aspects = .addedEntries

  package static func found(in node: ObservedNode) -> [LabModel.TableEntry] { AddedEntries(node: node).all }

  package func appendAdding(to batch: inout Batch, in target: RequestTarget) {
    batch.addEntry(message, to: table.kernelTable)
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) {
    batch.deleteEntry(message, from: table.kernelTable)
  }
}

extension LabModel.TableEntry.Table {
  /// The table as a request knows it.
  fileprivate var kernelTable: Netlink.TableEntry.Table {
    switch self {
    case .neighbour, .forwarding: .neighbours
    case .rule: .rules
    case .qdisc: .qdiscs
    }
  }
}

extension Netlink.TableEntry.Content {
  /// Whether somebody added it by hand: a fixed neighbour or forwarding entry, a routing rule, a queueing discipline. What
  /// the kernel learns or has by itself is none of it.
  ///
  /// - Parameter own: the addresses of the namespace's devices.
  func isAdded(besides own: Set<MACAddress>) -> Bool {
    switch self {
    case .neighbour(let neighbour): neighbour.state.contains(.permanent)
    case .forwarding(let entry):
      // The device's own filter, and the addresses that are the bridge's by themselves, are not.
      !entry.flags.contains(.own)
        && (entry.state.contains(.permanent)
          ? !own.contains(entry.address) : entry.state.contains(.noARP))
    case .rule(let rule): !rule.isUsual
    // The kernel's own have no handle.
    case .qdisc(let qdisc): qdisc.handle != 0
    }
  }
}

extension Rule {
  /// The rules that each namespace has.
  private static let usual: [UInt32: UInt32] = [
    0: Netlink.Route.localTable, 32766: Netlink.Route.mainTable, 32767: Netlink.Route.defaultTable,
  ]

  fileprivate var isUsual: Bool {
    action == .lookUp && Self.usual[priority] == table && source == nil && destination == nil
      && inputLink == nil && outputLink == nil && mark == nil
  }
}

/// The entries of a namespace's tables that somebody added, in the lab's terms.
private struct AddedEntries {
  let node: ObservedNode

  var all: [LabModel.TableEntry] {
    let own = Set(node.state.links.compactMap(\.address))
    return node.state.entries.lazy.filter { $0.content.isAdded(besides: own) }.compactMap { entry in
      switch entry.content {
      case .neighbour(let neighbour): described(neighbour, entry)
      case .forwarding(let forwarding): described(forwarding, entry)
      case .rule(let rule): described(rule, entry)
      case .qdisc(let qdisc): described(qdisc, entry)
      }
    }
  }

  private func described(_ neighbour: Netlink.Neighbour, _ entry: Netlink.TableEntry) -> LabModel.TableEntry?
  {
    guard let device = node.name(of: neighbour.link), device != "lo" else { return nil }
    let hardware = neighbour.linkLayerAddress.map { " lladdr \($0)" } ?? ""
    return made(
      .neighbour, "\(neighbour.address)\(hardware) dev \(device) nud permanent", entry, device)
  }

  private func described(_ found: ForwardingEntry, _ entry: Netlink.TableEntry) -> LabModel.TableEntry? {
    guard let device = node.name(of: found.link) else { return nil }
    let vlan = found.vlan.map { " vlan \($0)" } ?? ""
    let place = found.isOfBridge ? "self" : "master"
    return made(
      .forwarding,
      "\(found.address) dev \(device)\(vlan) \(place) \(found.state.contains(.permanent) ? "permanent" : "static")",
      entry, device)
  }

  private func described(_ rule: Rule, _ entry: Netlink.TableEntry) -> LabModel.TableEntry? {
    let conditions = [
      rule.source.map { "from \($0)" }, rule.destination.map { "to \($0)" },
      rule.inputLink.map { "iif \($0.terminalSafe)" }, rule.outputLink.map { "oif \($0.terminalSafe)" },
      rule.mark.map { "fwmark \($0)" },
    ].compactMap { $0 }
    let action = rule.action == .lookUp ? "\(rule.action) \(rule.table)" : "\(rule.action)"
    let words = ["priority \(rule.priority)"] + conditions + [action]
    return made(.rule, words.joined(separator: " "), entry, nil, isIPv6: rule.isIPv6)
  }

  private func described(_ qdisc: Netlink.Qdisc, _ entry: Netlink.TableEntry) -> LabModel.TableEntry? {
    typealias Qdisc = Netlink.Qdisc
    // What hangs below goes with what it hangs under; what a lab can ask for is a kind of its own.
    guard let device = node.name(of: qdisc.link),
      let place = [Qdisc.root: "root \(qdisc.kind.name)", Qdisc.entrance: qdisc.kind.name][qdisc.parent],
      LabModel.Qdisc(qdisc, in: node.name, device: device) == nil
    else { return nil }
    return made(.qdisc, "dev \(device) \(place.terminalSafe)", entry, device)
  }

  private func made(
    _ table: LabModel.TableEntry.Table, _ words: String, _ entry: Netlink.TableEntry, _ device: String?,
    isIPv6: Bool = false
  ) -> LabModel.TableEntry {
    LabModel.TableEntry(
      namespace: node.name, table: table, words: words, message: entry.message, device: device,
      isIPv6: isIPv6)
  }
}
