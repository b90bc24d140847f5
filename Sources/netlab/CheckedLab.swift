import LabCapture
import LabKit
import LabModel

extension LabDocument {
  /// Finds every mistake of the lab before anything is touched, capture filters included, which are libpcap's to judge.
  func checked() async throws -> ResolvedLab {
    var diagnostics: [Diagnostic] = []
    var lab: ResolvedLab?
    do throws(LabErrors) { lab = try resolved() } catch { diagnostics = error.diagnostics }
    var problems: [String: String?] = [:]
    for check in checks.flatMap(\.withNested) {
      for filter in check.value.references.filters where !filter.isEmpty {
        if problems[filter] == nil { problems[filter] = await CaptureFilter.problem(of: filter) }
        if let problem = problems[filter] ?? nil {
          diagnostics.append(
            Diagnostic(
              "'\(filter)' is not a capture filter: \(problem)", at: check.value.location,
              fix: "see man pcap-filter"))
        }
      }
    }
    guard let lab, diagnostics.isEmpty else { throw LabErrors(diagnostics: diagnostics) }
    return lab
  }
}

extension ResolvedLab {
  /// Tells what is doubtful.
  func warn() {
    guard !warnings.isEmpty else { return }
    Console.warn(Console.shortening(LabErrors(diagnostics: warnings).description))
  }
}

extension Check {
  /// The check, and all that are inside it.
  fileprivate var withNested: [Check] { [self] + value.references.nested.flatMap(\.withNested) }
}
