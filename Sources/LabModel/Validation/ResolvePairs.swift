import LabKit
import Values

extension Resolver {
  /// A check of pairs is about some that can talk. Looked at only where nothing else is wrong: a VM that was refused
  /// its address talks to nobody.
  mutating func checkPairs(
    _ pairs: CheckReferences.Pairs, in lab: ResolvedLab, at location: SourceLocation
  ) {
    switch pairs {
    case .network(let network):
      if let network, networkIndex[network] == nil {
        return report(
          "there is no network '\(network)'", at: location,
          fix: suggestion(for: network, among: networks.map(\.name), what: "network"))
      }
      let rules = PairRules(lab, on: network)
      let isMeaningful = rules.vms.contains { sender in
        rules.vms.contains { rules.paths(from: sender, to: $0).contains(where: \.isAllowed) }
      }
      if !isMeaningful {
        report(
          "no two VMs\(network.map { " on '\($0)'" } ?? "") can talk to each other, so that this would prove nothing",
          at: location, fix: "give two VMs addresses in one subnet of a network")
      }
    case .each(let names):
      let rules = PairRules(lab, vms: names)
      if Set(names).count < 2 {
        return report("there is no pair of VMs here", at: location, fix: "name at least two VMs")
      }
      for sender in rules.vms {
        for target in rules.vms
        where sender != target && !rules.paths(from: sender, to: target).contains(where: \.isAllowed) {
          report(
            "'\(lab.vms[sender].name)' cannot reach '\(lab.vms[target].name)': they have no network and subnet in common",
            at: location, fix: "use Unreachable for what must not be reached")
        }
      }
    }
  }
}
