import LabKit
import LabTrace

/// How one check of a lab ended.
package struct CheckResult: Sendable, Codable {
  /// What a check can end with.
  package enum Outcome: Sendable, Codable {
    /// It holds. The detail is what was measured: `3 of 3 replies, 41 µs on average`.
    case passed(detail: String)
    /// It does not hold.
    case failed(Failure)
    /// Nobody knows: something that was needed to find out did not work.
    case undetermined(Failure)
    /// It says nothing about this lab, such as tags on a datapath that has none.
    case skipped(reason: String)
  }

  package var check: Check
  package var outcome: Outcome
  package var duration: Duration

  package var title: String { check.value.title }
  package var location: SourceLocation { check.value.location }

  /// Why it failed; `nil` when it did not.
  package var failure: Failure? {
    if case .failed(let failure) = outcome { failure } else { nil }
  }

  /// Why it failed, or could not be determined.
  package var problem: Failure? {
    switch outcome {
    case .failed(let problem), .undetermined(let problem): problem
    case .passed, .skipped: nil
    }
  }

  /// Adds to a failure why it is so.
  mutating func explain(_ explanation: Explanation) {
    guard var failure else { return }
    failure.explanation = explanation
    outcome = .failed(failure)
  }
}

extension CheckResult.Outcome {
  /// What comes of running a check: the one place where what it throws gets its meaning.
  ///
  /// - Throws: `CancellationError` only.
  init(of check: Check, _ run: () async throws -> String) async throws {
    do {
      self = .passed(detail: try await run())
    } catch let failure as Failure {
      self = failure.isProven ? .failed(failure) : .undetermined(failure)
    } catch let skip as Skip {
      self = .skipped(reason: skip.reason)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      // Netlab itself did not get to the end of it, which says nothing about the lab.
      self = .undetermined(.unproven(check.value.title, "\(error)"))
    }
  }
}
