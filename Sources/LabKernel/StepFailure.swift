import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// A step that the kernel refused.
package struct StepFailure: Error {
  var step: any PlanStep
  package var error: NetlinkError?
  var problem: String?

  init(step: any PlanStep, error: NetlinkError) {
    self.step = step
    self.error = error
  }

  init(step: any PlanStep, problem: String) {
    self.step = step
    self.problem = problem
  }

  /// Whether what was to be deleted was being deleted already: with a namespace that was, for instance.
  package var isOvertaken: Bool {
    guard let error, let step = step as? any ExecutableStep else { return false }
    return step.isOvertaken(by: error)
  }

  /// What a person needs: the command that is the same as the step, the kernel's words, the place in the lab.
  package var report: String {
    let command = step.commands.joined(separator: " && ")
    let words = error.map { "the kernel refused a step: \($0)" } ?? problem ?? ""
    let place = step.origin.map { "\($0): " } ?? ""
    return "\(place)error: \(words)\n  the step: \(command)"
  }
}
