internal import LabKit
internal import LabRunner

extension LabDocument {
  /// Finds out before anything is brought up whether the checks can run here: whether libpcap takes their filters, and
  /// whether the programs they need are installed.
  func requireRunnableChecks() async throws {
    try CheckRunner.requireTools(for: checks)
    var problems: [String: String?] = [:]
    var diagnostics: [Diagnostic] = []
    for check in checks.flatMap(\.withNested) {
      for filter in check.value.references.filters where !filter.isEmpty {
        if problems[filter] == nil { problems[filter] = await CaptureFilter.problem(of: filter) }
        if let problem = problems[filter] ?? nil {
          diagnostics.append(
            Diagnostic("'\(filter)' is not a capture filter: \(problem)", at: check.value.location, fix: "see man pcap-filter"))
        }
      }
    }
    if !diagnostics.isEmpty { throw LabErrors(diagnostics: diagnostics) }
  }
}

extension Check {
  /// The check, and all that are inside it.
  fileprivate var withNested: [Check] { [self] + value.references.nested.flatMap(\.withNested) }
}
