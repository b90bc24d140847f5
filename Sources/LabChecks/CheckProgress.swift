import LabTrace

/// What has come of a run's checks so far: results are explained where they need it, and reported.
struct CheckProgress {
  private var ended: [CheckResult?]
  /// Results that are not reported yet, by their places.
  private var held: [Int] = []
  private var explanations: [Passage: Explanation] = [:]
  private let explainer: Explainer
  private let report: @Sendable (CheckResult) -> Void

  init(_ count: Int, explainer: Explainer, report: @escaping @Sendable (CheckResult) -> Void) {
    ended = [CheckResult?](repeating: nil, count: count)
    self.explainer = explainer
    self.report = report
  }

  /// The results in the order of the checks.
  var results: [CheckResult] { ended.compactMap { $0 } }

  /// Takes a result that says enough.
  mutating func report(_ result: CheckResult, at index: Int) {
    ended[index] = result
    report(result)
  }

  /// Takes a result that is reported when it may be explained.
  mutating func hold(_ result: CheckResult, at index: Int) {
    ended[index] = result
    held.append(index)
  }

  /// Explains what is held, one after the other, and reports it. No check may run meanwhile.
  mutating func explainHeld() async throws {
    while let index = held.first {
      try await explain(index)
      if let result = ended[index] { report(result) }
      held.removeFirst()
    }
  }

  /// Reports what is held as it is.
  mutating func reportHeld() {
    for index in held { if let result = ended[index] { report(result) } }
    held = []
  }

  private mutating func explain(_ index: Int) async throws {
    guard let passage = ended[index]?.failure?.passage else { return }
    let explanation: Explanation
    if let known = explanations[passage] {
      explanation = known
    } else {
      explanation = try await explainer.explain(passage)
    }
    explanations[passage] = explanation
    ended[index]?.explain(explanation)
  }
}
