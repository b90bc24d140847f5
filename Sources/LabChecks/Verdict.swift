/// What the checks of a lab prove together.
package enum Verdict: Int32, Sendable {
  /// Every check holds, and there is at least one.
  case holds = 0
  /// At least one check does not hold.
  case fails = 1
  /// None fails, but not everything could be determined, or nothing was.
  case undetermined = 3

  /// - Parameter allowEmpty: whether results that prove nothing, because there is none or all were skipped, will do.
  package init(_ results: [CheckResult], allowEmpty: Bool = false) {
    if results.contains(where: { $0.failure != nil }) {
      self = .fails
    } else if results.contains(where: { $0.problem != nil }) {
      self = .undetermined
    } else {
      self = allowEmpty || results.contains(where: \.isPassed) ? .holds : .undetermined
    }
  }

  /// The exit code of commands that run checks.
  package var exitCode: Int32 { rawValue }
}

extension CheckResult {
  fileprivate var isPassed: Bool { if case .passed = outcome { true } else { false } }
}
