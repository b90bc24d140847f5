import CNetlink
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Finds the rules that may drop packets, where a namespace has any: nftables, iptables, filters and queues of tc.
struct HookReader {
  let runner: ProcessRunner

  /// The hooks of a namespace. Programs are run only where netlink says that there is something.
  func hooks(of namespace: OpenNamespace, _ node: NodeState) async -> [PacketHook] {
    var hooks: [PacketHook] = []
    if cnl_count_nft_tables(namespace.namespace.rawDescriptor) > 0 {
      let rules = await output(["nft", "list", "ruleset"], namespace.name)
      hooks +=
        rules.map(Self.netfilterHooks) ?? [
          PacketHook(
            point: .netfilter(family: "inet", hook: "input"), name: "nftables",
            suspects: ["there are tables, and no `nft` to list them"], command: "nft list ruleset")
        ]
    }
    hooks += await legacyHooks(of: namespace)
    for qdisc in node.qdiscs {
      guard let device = node[qdisc.link]?.name else { continue }
      switch qdisc.kind.name {
      case "noqueue", "pfifo_fast", "fq_codel", "fq", "mq", "noop": break
      case "clsact", "ingress":
        for direction in ["ingress", "egress"] {
          hooks += await filterHook(device, direction, namespace.name)
        }
      default:
        let lines = await output(["tc", "qdisc", "show", "dev", device], namespace.name) ?? qdisc.kind.name
        hooks.append(
          PacketHook(
            point: .trafficControl(device: device, direction: "egress"), name: "tc qdisc on \(device)",
            suspects: lines.split(separator: "\n").map(String.init), command: "tc qdisc show dev \(device)"))
      }
    }
    return hooks
  }

  func output(_ command: [String], _ namespace: String) async -> String? {
    let result = try? await runner.run(command, in: OpenNamespace.path(of: namespace), timeout: .seconds(10))
    guard let result, result.status.isSuccess else { return nil }
    return result.output
  }

  private func filterHook(_ device: String, _ direction: String, _ namespace: String) async -> [PacketHook] {
    let command = ["tc", "filter", "show", "dev", device, direction]
    guard let text = await output(command, namespace) else { return [] }
    let suspects = Self.droppingFilters(text)
    guard !suspects.isEmpty else { return [] }
    return [
      PacketHook(
        point: .trafficControl(device: device, direction: direction),
        name: "tc filter on \(device) \(direction)",
        suspects: suspects, command: command.joined(separator: " "))
    ]
  }

  /// The filters of `tc filter show` whose actions may drop.
  static func droppingFilters(_ text: String) -> [String] {
    var filter = ""
    var found: [String] = []
    for line in text.split(separator: "\n") {
      let words = line.trimmed
      if words.hasPrefix("filter ") { filter = words }
      if words.contains("action drop") || words.contains("action shot") || words.contains("police") {
        found.append("\(filter) \(words)")
      }
    }
    return found
  }

  /// Reads `nft list ruleset`: each chain with a hook, with what may drop in it and in the chains it jumps to.
  static func netfilterHooks(_ ruleset: String) -> [PacketHook] {
    var hooks: [PacketHook] = []
    var table: [Substring] = []
    var chains: [(name: String, hook: String?, dropsByDefault: Bool, rules: [String])] = []
    func finishTable() {
      let family = table.count > 1 ? String(table[1]) : ""
      let title = table.dropFirst().prefix(2).joined(separator: " ")
      for chain in chains {
        guard let hook = chain.hook else { continue }
        var suspects = chain.rules.filter { $0.mayDrop }
        if chain.rules.contains(where: { $0.contains("jump ") || $0.contains("goto ") || $0.contains("vmap") }
        ) {
          suspects += chains.filter { $0.hook == nil }.flatMap { $0.rules.filter { $0.mayDrop } }
        }
        if chain.dropsByDefault { suspects.append("policy drop") }
        hooks.append(
          PacketHook(
            point: .netfilter(family: family, hook: hook),
            name: "nftables table \(title), chain \(chain.name)",
            suspects: suspects, command: "nft list chain \(title) \(chain.name)"))
      }
      chains = []
    }
    for line in ruleset.split(separator: "\n") {
      let text = line.trimmed
      let words = text.split(separator: " ")
      if words.first == "table" {
        finishTable()
        table = words
      } else if words.first == "chain", words.count > 1 {
        chains.append((String(words[1]), nil, false, []))
      } else if words.first == "type", let hook = words.firstIndex(of: "hook"), hook + 1 < words.count,
        !chains.isEmpty
      {
        chains[chains.count - 1].hook = String(words[hook + 1])
        chains[chains.count - 1].dropsByDefault = text.contains("policy drop")
      } else if !chains.isEmpty {
        chains[chains.count - 1].rules.append(text)
      }
    }
    finishTable()
    return hooks
  }
}

extension StringProtocol {
  /// Without the white space at both ends.
  fileprivate var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}

extension String {
  /// Whether a rule of nftables has a verdict that can end a packet's way.
  fileprivate var mayDrop: Bool {
    let words = split { !$0.isLetter }
    return words.contains("drop") || words.contains("reject") || words.contains("queue")
  }
}
