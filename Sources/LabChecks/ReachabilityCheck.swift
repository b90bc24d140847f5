import CNetlink
import Dispatch
import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Synchronization
import Values

extension CheckRunner {
  func perform(_ check: AllPairs) async throws -> String {
    try await sweep(PairRules(lab, on: check.network))
  }

  func perform(_ check: Reachable) async throws -> String {
    try await sweep(PairRules(lab, vms: check.vms))
  }

  private func sweep(_ rules: PairRules) async throws -> String {
    let isCancelled = Flag()
    // It blocks, which the threads that run tasks should not.
    let outcome = try await withTaskCancellationHandler {
      try await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(returning: Result { try self.swept(rules) { isCancelled.isSet } })
        }
      }.get()
    } onCancel: {
      isCancelled.set()
    }
    guard outcome.missing.isEmpty, outcome.leaks.isEmpty else { throw outcome.failure(lab, rules) }
    // Whoever reached nobody has not shown that it can send at all.
    for sender in outcome.unproven {
      for path in rules.vms.lazy.flatMap({ rules.paths(from: sender, to: $0) }).prefix(1) {
        try requireSender(lab.vms[sender].name, canReach: path.address)
      }
    }
    let microseconds = outcome.slowest / 1000
    return "\(outcome.answered) of \(outcome.answered) pairs answer, the slowest after \(microseconds) µs"
      + (outcome.silent > 0 ? "; \(outcome.silent) that must not do not" : "")
  }

  private func swept(_ rules: PairRules, isCancelled: @escaping @Sendable () -> Bool) throws -> SweepOutcome {
    let stations = try EchoStations(rules.vms, of: lab, identifier: identifiers.next(), open: open)
    var sweep = EchoSweep(rules, stations, isCancelled: isCancelled)
    try sweep.run()
    return SweepOutcome(
      answered: sweep.answered, silent: sweep.silent, slowest: sweep.slowest, missing: sweep.missing,
      leaks: sweep.leaks, unproven: sweep.unproven.subtracting(sweep.proven))
  }
}

/// What a sweep found.
private struct SweepOutcome: Sendable {
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
    var lines = lines(of: missing.map(\.path), "no answer", lab, rules)
    lines += self.lines(of: leaks, "answers, and must not", lab, rules)
    if let refused = missing.first(where: { $0.error != 0 }) {
      let words =
        unsafe cnl_error_text(refused.error).map { unsafe String(cString: $0) } ?? "\(refused.error)"
      lines.append("\(lab.vms[refused.path.sender].name) cannot send to \(refused.path.address): \(words)")
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

  private static let shownLines = 20

  /// The pairs, in words: whoever fails with everybody else in one line, the others one by one.
  private func lines(of paths: [PairRules.Path], _ what: String, _ lab: ResolvedLab, _ rules: PairRules)
    -> [String]
  {
    var count: [Int: Int] = [:]
    for path in paths {
      count[path.sender, default: 0] += 1
      count[path.target, default: 0] += 1
    }
    func possible(_ vm: Int) -> Int {
      rules.vms.reduce(0) { sum, other in
        sum
          + (rules.paths(from: vm, to: other) + rules.paths(from: other, to: vm))
          .count { $0.isAllowed == (what == "no answer") }
      }
    }
    // With two VMs each is to blame as much as the other.
    let culprits = Set(count.filter { $0.value > 2 && $0.value == possible($0.key) }.keys)
    var lines = culprits.sorted().map { vm in
      "\(lab.vms[vm].name): \(what) in all of its \(count[vm] ?? 0) pairs"
    }
    for path in paths where !culprits.contains(path.sender) && !culprits.contains(path.target) {
      lines.append("\(lab.vms[path.sender].name) → \(lab.vms[path.target].name) (\(path.address)): \(what)")
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

/// Set once, from any thread.
private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
