import LabModel
import LabTrace

/// What a sweep found.
struct SweepFindings: Sendable {
  var answered: Int
  var silent: Int
  var slowest: Int64
  var missing: [(path: PairRules.Path, error: CInt)]
  var leaks: [PairRules.Path]
  var unproven: Set<Int>

  func failure(_ lab: ResolvedLab, _ rules: PairRules) -> Failure {
    let (wanted, forbidden) = (answered + missing.count, silent + leaks.count)
    let expected =
      "\(wanted) pairs to answer" + (forbidden > 0 ? ", and \(forbidden) not to" : "")
    let seen = [
      missing.isEmpty ? nil : "\(missing.count) do not answer",
      leaks.isEmpty ? nil : "\(leaks.count) answer that must not",
    ].compactMap { $0 }.joined(separator: ", ")
    var lines = lines(of: missing.map(\.path), .silent, lab, rules)
    lines += self.lines(of: leaks, .answering, lab, rules)
    if let refused = missing.first(where: { $0.error != 0 }) {
      let sender = lab.vms[refused.path.sender].name
      lines.append("\(sender) cannot send to \(refused.path.address): \(errorText(refused.error))")
    }
    return Failure(
      expected: expected, seen: seen, details: lines + matrix(lab, rules), passage: passage(lab))
  }

  /// The packets of one pair that is not as it must be.
  private func passage(_ lab: ResolvedLab) -> Passage? {
    guard let path = missing.first?.path ?? leaks.first else { return nil }
    return Passage(
      question: missing.isEmpty ? .arrival : .loss, sender: lab.vms[path.sender].name, target: path.address,
      receiver: lab.vms[path.target].name)
  }

  /// How a path is not as it must be.
  private enum Fault: CustomStringConvertible {
    case silent, answering

    var description: String {
      switch self {
      case .silent: "no answer"
      case .answering: "answers, and must not"
      }
    }
  }

  private static let shownLines = 20

  /// The pairs, in words: whoever fails with everybody else in one line, the others one by one.
  private func lines(
    of paths: [PairRules.Path], _ fault: Fault, _ lab: ResolvedLab, _ rules: PairRules
  ) -> [String] {
    var count: [Int: Int] = [:]
    for path in paths {
      count[path.sender, default: 0] += 1
      count[path.target, default: 0] += 1
    }
    func possible(_ vm: Int) -> Int {
      rules.vms.reduce(0) { sum, other in
        sum
          + (rules.paths(from: vm, to: other) + rules.paths(from: other, to: vm))
          .count { $0.isAllowed == (fault == .silent) }
      }
    }
    // With two VMs each is to blame as much as the other.
    let culprits = Set(count.filter { $0.value > 2 && $0.value == possible($0.key) }.keys)
    var lines = culprits.sorted().map { vm in
      "\(lab.vms[vm].name): \(fault) in all of its \(count[vm] ?? 0) pairs"
    }
    for path in paths where !culprits.contains(path.sender) && !culprits.contains(path.target) {
      lines.append("\(lab.vms[path.sender].name) → \(lab.vms[path.target].name) (\(path.address)): \(fault)")
    }
    guard lines.count > Self.shownLines else { return lines }
    return lines.prefix(Self.shownLines) + ["… and \(lines.count - Self.shownLines) more"]
  }

  /// Who reaches whom, where that fits on a screen.
  private func matrix(_ lab: ResolvedLab, _ rules: PairRules) -> [String] {
    guard rules.vms.count <= 12 else { return [] }
    let missing = Set(self.missing.map { [$0.path.sender, $0.path.target] })
    let leaks = Set(self.leaks.map { [$0.sender, $0.target] })
    let width = rules.vms.map { lab.vms[$0].name.count }.max() ?? 0
    let rows = rules.vms.map { sender in
      let cells = rules.vms.map { target in
        let paths = rules.paths(from: sender, to: target)
        if missing.contains([sender, target]) { return "✗" }
        if leaks.contains([sender, target]) { return "!" }
        return paths.isEmpty ? " " : paths.contains(where: \.isAllowed) ? "✓" : "·"
      }
      let name = lab.vms[sender].name
      return name + String(repeating: " ", count: width - name.count) + "  " + cells.joined(separator: " ")
    }
    return [
      "who (rows) reaches whom (columns, same order): ✓ as it must, · not as it must, ✗ not, ! though it must not"
    ]
      + rows
  }
}
