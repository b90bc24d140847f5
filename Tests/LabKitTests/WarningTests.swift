import Testing
import Values

@testable import LabKit
@testable import LabModel

/// What is doubtful in a lab, and how much is said at once.
@Suite struct WarningTests {
  private func warnings(@ChecksBuilder _ checks: () -> CheckGroup) throws -> [String] {
    var document = LabDocument(name: "lab")
    let net = Network("net", subnet: "10.0.0.0/24")
    let topology = Host("h") {
      VM("a").port(on: net)
      VM("b").port(on: net)
    }
    document.add(topology.topologyGroup.declarations, host: nil)
    document.checks = checks().checkList
    return try document.resolved().warnings.map(\.description)
  }

  @Test func `A check that cannot fail is a warning, with its place`() throws {
    let line = #line + 2
    let found = try warnings {
      Ping(from: "a", to: "b", loss: 100)
      Capture(at: "b") { Ping(from: "a", to: "b") }.sees(.atLeast(0))
      Capture(at: "b") {}.sees(.nothing)
      Capture(at: "b") { Ping(from: "a", to: "b", loss: 100) }
    }
    try #require(found.count == 4)
    #expect(
      found[0] == """
        \(#filePath):\(line):11: warning: a ping that may lose everything passes whatever happens
          fix: write loss: 99 or less
        """)
    #expect(
      found[1].contains(":\(line + 1):14: warning: a capture that sees at least 0 packets passes whatever"))
    #expect(found[2].contains(":\(line + 2):14: warning: a capture without traffic proves nothing"))
    #expect(found[3].contains(":\(line + 3):30: warning: a ping that may lose everything"))
  }

  @Test func `A check that can fail is none`() throws {
    let found = try warnings {
      Ping(from: "a", to: "b", loss: 99)
      Ping(from: "a", to: "b", loss: 100, within: .seconds(1))
      Capture(at: "b") { Ping(from: "a", to: "b") }.sees(.atLeast(1))
      Capture(at: "b") { Ping(from: "a", to: "b") }.sees(.exactly(0))
      Capture(at: "b", filter: "udp") { Unreachable(from: "a", to: "b") }.sees(.nothing)
    }
    #expect(found == [])
  }

  @Test func `No more than a hundred mistakes are shown`() {
    func lines(_ count: Int) -> [Substring] {
      LabErrors(diagnostics: (0..<count).map { Diagnostic("mistake \($0)") }).description.split(
        separator: "\n")
    }
    #expect(lines(100).count == 100)
    #expect(lines(26_102).count == 101)
    #expect(lines(26_102).last == "… and 26002 more")
  }
}
