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

// The tables of legacy iptables, which nft does not list.
extension HookReader {
  /// The chains of legacy tables with what may drop in them. Programs are run only where the kernel says that there is
  /// a table.
  func legacyHooks(of namespace: OpenNamespace) async -> [PacketHook] {
    var hooks: [PacketHook] = []
    for (family, tool) in [("ip", "iptables-legacy"), ("ip6", "ip6tables-legacy")] {
      let tables = legacyTables(family, namespace)
      guard !tables.isEmpty else { continue }
      if let rules = await output(["\(tool)-save"], namespace.name) {
        hooks += Self.legacyHooks(rules, family: family, tool: tool)
      } else {
        hooks += ["input", "forward", "output"].map { hook in
          PacketHook(
            point: .netfilter(family: family, hook: hook), name: "\(tool)",
            suspects: ["there are tables (\(tables.joined(separator: ", "))), and no \(tool) to list them"],
            command: "\(tool)-save")
        }
      }
    }
    return hooks
  }

  private func legacyTables(_ family: String, _ namespace: OpenNamespace) -> [String] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let length = unsafe cnl_read_in_namespace(
      namespace.namespace.rawDescriptor, "/proc/thread-self/net/\(family)_tables_names", &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(length, 0)), as: UTF8.self).split(separator: "\n").map(
      String.init)
  }

  /// Reads what `iptables-legacy-save` writes.
  static func legacyHooks(_ text: String, family: String, tool: String) -> [PacketHook] {
    var hooks: [PacketHook] = []
    var table = ""
    var policies: [(chain: String, policy: Substring)] = []
    var rules: [(chain: Substring, text: String, target: Substring?)] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("*") {
        (table, policies, rules) = (String(line.dropFirst()), [], [])
      } else if line.hasPrefix(":"), words.count > 1 {
        policies.append((String(words[0].dropFirst()), words[1]))
      } else if line.hasPrefix("-A "), words.count > 1 {
        let jump = words.firstIndex { ["-j", "-g"].contains($0) }.map { $0 + 1 }
        rules.append((words[1], String(line), jump.flatMap { $0 < words.count ? words[$0] : nil }))
      } else if line == "COMMIT" {
        let own = Set(policies.filter { $0.policy == "-" }.map(\.chain))
        let inOwn = rules.filter { own.contains(String($0.chain)) && $0.target.mayDrop }.map(\.text)
        for (chain, policy) in policies where policy != "-" {
          let here = rules.filter { $0.chain == chain }
          var suspects = here.filter(\.target.mayDrop).map(\.text)
          if here.contains(where: { $0.target.map { own.contains(String($0)) } == true }) {
            suspects += inOwn
          }
          if policy == "DROP" { suspects.append("policy DROP") }
          hooks.append(
            PacketHook(
              point: .netfilter(family: family, hook: chain.lowercased()),
              name: "\(tool) table \(table), chain \(chain)", suspects: suspects,
              command: "\(tool) -t \(table) -S \(chain)"))
        }
      }
    }
    return hooks
  }
}

extension Substring? {
  /// Whether a rule's target can end a packet's way.
  fileprivate var mayDrop: Bool { map { ["DROP", "REJECT", "NFQUEUE", "QUEUE"].contains($0) } ?? false }
}
