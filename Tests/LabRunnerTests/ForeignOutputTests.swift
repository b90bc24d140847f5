import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// What other programs print can end anywhere, and hold any number. Found by `make fuzz`.
@Suite struct ForeignOutputTests {
  @Test func aSummaryOfPingThatEndsEarly() {
    let whole = PingSummary(
      lines: ["3 packets transmitted, 2 received, 33% packet loss, time 9ms"], status: .exited(1))
    #expect(whole.received == 2)
    let half = PingSummary(lines: ["3 packets transmitted,"], status: .exited(0))
    #expect(half.received == 0)
  }

  @Test func aFilterProgramWithNumbersTooLarge() {
    let program = "4\n40 0 0 12\n70000 0 0 0\n21 300 0 2048\n6 0 0 262144\n"
    #expect(FilterProgram.instructions(in: program).count == 2)
  }
}
