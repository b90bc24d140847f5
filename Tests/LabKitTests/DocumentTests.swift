import Testing
import Values

@testable import LabKit
@testable import LabModel

@Suite struct DocumentTests {
  /// A document with each kind of check in it.
  static func document() throws -> LabDocument {
    var document = try LabDocument(of: Everything(), settings: [])
    document.parameters = [.init(name: "vms", type: "Int", value: "3", help: "How many")]
    let web = VM("web")
    document.checks =
      ChecksBuilder.buildArray(
        [
          Ping(
            from: "web", to: "trunk", count: 2, size: 9, dontFragment: true, loss: 5, within: .milliseconds(3)
          ),
          Unreachable(from: "web", to: "db"),
          Capture(at: web.tap, filter: "icmp") { Ping(from: "web", to: web.on("front")) }.sees(.exactly(6)),
          Capture(at: web.interface(on: "front")) { Ping(from: "web", to: "db") }.sees(.atLeast(2)),
          Capture(at: Host("compute-1").device("br-int")) {}.sees(.nothing),
          Tagged(at: "trunk", vlan: 100) { Ping(from: "trunk", to: "10.2.0.1") },
          NotFlooded(from: "web", to: "trunk", observer: "db"), Traceroute(from: "web", to: "trunk").hops(2),
          Ping(from: "web", to: "db").takes(.milliseconds(20)...(.milliseconds(30))).loses(1...3),
          Rate(from: "web", to: "trunk", .megabits(9)...(.megabits(11))),
          Rate(from: "web", to: "db", .bits(1)...),
          TCP(from: "web", to: "trunk", port: 22, listening: .byCheck), Neighbour(of: "web", for: "trunk"),
          SameTag("web", "trunk"),
          DifferentTag("web", "db"), Run(on: "web", "true"),
          Run(on: "web", "cat", "\u{1b}]\n", status: 1, output: .contains("x")),
          Run(on: "web", "cat", output: .matches("^a+$")),
        ].map { (check: any CheckValue) in CheckGroup(checkList: check.checkGroup.checkList) }
      ).checkGroup.checkList
    return document
  }

  @Test func crossesJSON() throws {
    let document = try Self.document()
    let decoded = try LabDocument(json: Array(document.json.utf8))
    #expect(decoded == document)
    #expect(decoded.json == document.json)
    #expect(try decoded.resolved().blueprint() == document.resolved().blueprint())
  }

  @Test func hasPlainJSONForChecks() throws {
    let file = #filePath
    let here = #line
    var document = LabDocument(name: "x")
    document.checks =
      Capture(at: VM("a").interface(on: "net"), filter: "icmp") { SameTag("a", "b") }.sees(.exactly(6))
      .checkGroup.checkList
      + Run(on: "a", "true", output: .contains("y")).checkGroup.checkList
    #expect(
      document.json == """
        {"checks":[{"capture":{"filter":"icmp","location":"\(file):\(here + 3):14","point":{"node":"a","place":\
        {"network":"net"}},"sighting":{"exactly":6},"stimulus":[{"sameTag":{"first":"a","location":\
        "\(file):\(here + 3):74","second":"b"}}]}},{"run":{"command":["true"],"location":"\(file):\(here + 5):12",\
        "node":"a","output":{"contains":"y"},"status":0}}],"datapath":"hybrid","format":2,"name":"x",\
        "networks":[],"nodes":[],"parameters":[],"ports":[],"services":[]}
        """)
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = Array(try Self.document().json.utf8)
    let accepted = bytes.indices.filter { (try? LabDocument(json: Array(bytes[..<$0]))) != nil }
    #expect(accepted == [])
  }

  /// A byte changed: refused, or a document that validation takes care of.
  @Test func damagedBytesAreSafe() throws {
    let bytes = Array(try Self.document().json.utf8)
    var random = SplitMix(state: 7)
    for index in stride(from: 0, to: bytes.count, by: 7) {
      var damaged = bytes
      damaged[index] = UInt8.random(in: .min ... .max, using: &random)
      do throws(LabErrors) { _ = try LabDocument(json: damaged).resolved() } catch {
        #expect(!error.diagnostics.isEmpty)
        #expect(!error.description.unicodeScalars.contains { $0.isUnsafe && $0 != "\n" })
      }
    }
  }

  private static let empty =
    #""checks":[],"datapath":"hybrid","name":"x","networks":[],"nodes":[],"parameters":[],"ports":[],"services":[]"#

  @Test(arguments: [
    ("[]", "expected an object"), ("null", "expected an object, found null"), ("{}", "missing key 'format'"),
    (#"{"format":"1"}"#, "format: expected a whole number"),
    (#"{"format":2}"#, "missing key 'name'"),
    (#"{"format":2,\#(empty)}"#.replacing(#""nodes":[]"#, with: #""nodes":{}"#), "nodes: expected a list"),
    (
      #"{"format":2,\#(empty)}"#.replacing(#""nodes":[]"#, with: #""nodes":[{"vm":{"name":3}}]"#),
      "nodes[0].vm.name: expected a text"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing(
        #""nodes":[]"#, with: #""nodes":[{"vm":{"name":"a","location":"x"}}]"#),
      "nodes[0].vm.location: a source location is FILE:LINE:COLUMN"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing(#""nodes":[]"#, with: #""nodes":[{"router":{}}]"#),
      "nodes[0].router: there is no node of this kind"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing("hybrid", with: "ovn"),
      "datapath: Cannot initialize Datapath from invalid String value ovn"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing(#""checks":[]"#, with: #""checks":[{}]"#),
      "checks[0]: a check is an object with one key"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing(#""checks":[]"#, with: #""checks":[{"pong":{}}]"#),
      "checks[0].pong: there is no check of this kind"
    ),
    (
      #"{"format":2,\#(empty)}"#.replacing(#""checks":[]"#, with: #""checks":[{"ping":{},"run":{}}]"#),
      "checks[0]: a check is an object with one key"
    ),
  ])
  func saysWhatIsWrong(json: String, problem: String) throws {
    let error = try #require(throws: LabErrors.self) { try LabDocument(json: Array(json.utf8)) }
    #expect(
      error.description
        == "error: not a compiled lab: \(problem)\n  fix: make one with:  netlab compile FILE.swift")
  }

  @Test func refusesAnotherFormat() throws {
    for json in [#"{"format":1}"#, #"{"format":1,"anything":[1]}"#] {
      let error = try #require(throws: LabErrors.self) { try LabDocument(json: Array(json.utf8)) }
      #expect(
        error.description == """
          error: the compiled lab has format 1, this netlab reads 2
            fix: compile it again with this netlab
          """)
    }
    #expect(throws: Never.self) { try LabDocument(json: Array(#"{"format":2,\#(Self.empty)}"#.utf8)) }
  }

  @Test func survivesExtremes() throws {
    let nested = 100_000
    let hostile = [
      String(repeating: "[", count: nested), String(repeating: #"{"a":"#, count: nested),
      String(repeating: "[", count: nested) + String(repeating: "]", count: nested),
      #"{"format":1e400}"#, #"{"format":99999999999999999999999999}"#, #"{"format":1.5}"#, #"{"format":-1}"#,
      #"{"format":2,"name":"\ud800"}"#, "\u{0}", "\u{feff}{}", #"{"format":2}{"format":2}"#,
    ]
    for json in hostile { #expect(throws: LabErrors.self) { try LabDocument(json: Array(json.utf8)) } }
    #expect(throws: LabErrors.self) { try LabDocument(json: [0xff, 0xfe, 0x00]) }

    // Checks inside checks, as deep as JSON goes.
    let check =
      #"{"capture":{"filter":"","location":"f:1:1","point":{"node":"a","place":{}},"sighting":{"nothing":true},"stimulus":["#
    let deep = String(repeating: check, count: 120) + String(repeating: "]}}", count: 120)
    let json = #"{"format":2,\#(Self.empty)}"#.replacing(#""checks":[]"#, with: #""checks":[\#(deep)]"#)
    #expect(throws: LabErrors.self) { try LabDocument(json: Array(json.utf8)).resolved() }

    for pattern in ["(", "[a", "(?=a", "a|("].flatMap({ part in
      [500 / part.utf8.count, nested].map { String(repeating: part, count: $0) }
    }) {
      var document = LabDocument(name: "x")
      document.checks = Run(on: "a", "true", output: .matches(pattern)).checkGroup.checkList
      #expect(throws: LabErrors.self) { try document.resolved() }
    }
  }

  @Test func refusesEndlesslyNestedChecks() throws {
    struct Deep: Lab {
      var topology: some Topology { VM("a") }
      var checks: some Checks {
        var check = SameTag("a", "b").checkGroup.checkList[0]
        for _ in 0..<200 { check = Check(Capture(at: "a") { CheckGroup(checkList: [check]) }) }
        return CheckGroup(checkList: [check])
      }
    }
    let error = try #require(throws: LabErrors.self) { try LabDocument(of: Deep(), settings: []) }
    #expect(error.description.hasSuffix("checks stand in each other more than 16 deep"))
  }

  @Test func hostileNamesAreNotPrintedRaw() throws {
    var document = try Self.document()
    let evil = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\u{feff}\u{2028}\r\nerror: forged\t"
    document.name = evil
    document.networks[0].name = evil
    document.networks[0].subnets = [evil]
    document.networks[0].id = evil
    document.change(Host.self, { $0.name = evil })
    document.change(VM.self, { $0.name = evil }, { $0.host = evil })
    document.ports[0].network = evil
    document.ports[1].node = evil
    document.ports[1].mac = evil
    document.ports[2].id = evil
    document.ports[2].device = evil
    document.ports[2].addresses = [evil]
    document.ports[2].location.file = evil
    document.ports[2].routes = [.to(evil, via: evil)]
    document.checks.append(Check(Ping(from: evil, to: Endpoint(name: evil, network: evil))))
    document.checks.append(Check(Capture(at: evil, filter: "-" + evil) {}))
    document.checks.append(Check(Run(on: evil, "x", output: .matches("(" + evil))))
    let error = try #require(throws: LabErrors.self) { try document.resolved() }
    #expect(error.diagnostics.count > 12)
    for line in error.description.split(separator: "\n", omittingEmptySubsequences: false) {
      #expect(!line.unicodeScalars.contains { $0.isUnsafe })
      #expect(line.contains(": error: ") || line.hasPrefix("error: ") || line.hasPrefix("  fix: "))
      #expect(!line.hasPrefix("error: forged"))
    }
    for check in document.checks { #expect(!check.value.title.contains("\u{1b}]")) }
  }

  @Test func clipsEndlessNames() throws {
    let document = LabDocument(name: String(repeating: "x", count: 1_000_000))
    let error = try #require(throws: LabErrors.self) { try document.resolved() }
    #expect(error.description.utf8.count < 2000)
    #expect("a\u{1b}b\nc\td".terminalSafe == "a\\u{1B}b\nc\td")
  }

  @Test func isQuickWithThousandsOfMistakes() throws {
    var document = LabDocument(name: "x")
    document.add(
      Host("h") { for index in 0..<1100 { VM("vm-\(index)").port(on: "nowhere-\(index)") } }.topologyGroup
        .declarations,
      host: nil)
    for index in 0..<3000 {
      document.checks.append(Check(Ping(from: "nobody-\(index)", to: "noone-\(index)")))
    }
    let start = ContinuousClock.now
    let error = try #require(throws: LabErrors.self) { try document.resolved() }
    #expect(error.diagnostics.count == 7100)
    #expect(ContinuousClock.now - start < .seconds(10))
  }
}
