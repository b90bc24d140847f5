import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Impairments: what an author may write, and what becomes of it.
@Suite struct ImpairmentTests {
  @Test(arguments: mistakes) func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let mistakes: [Mistake] = [
    Mistake("numbers out of range, all at once, where they were written") {
      let net = Network("net", subnet: "10.0.0.0/24")
        .impaired(delay: .seconds(61), loss: -1)
      Host("h") {
        VM("a").port(on: net).impaired(delay: .milliseconds(-1), duplicate: 100.5, rate: .kilobits(7.9))
        VM("b").port(on: net)
          .impaired(loss: .nan, limit: 0)
      }
    }.gives(
      """
      2:18: error: delay 61 s is not in 0 s…60 s
      2:18: error: loss -1 is not in 0…100 percent
      4:39: error: delay -0.001 s is not in 0 s…60 s
      4:39: error: duplicate 100.5 is not in 0…100 percent
      4:39: error: rate 7.9 kbit/s is not in 8 kbit/s…100 Gbit/s
      6:20: error: loss -1 is not in 0…100 percent
      6:20: error: limit 0 is not in 1…1000000 packets
      """),
    Mistake("what needs something else") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net).impaired(jitter: .milliseconds(1), reorder: 25)
        VM("b").port(on: net).impaired(limit: 10)
        VM("c").port(on: net).impaired()
      }
    }.gives(
      """
      3:39: error: jitter without a delay does nothing
        fix: add one: .impaired(delay: .milliseconds(10), jitter: …)
      3:39: error: reorder without a delay does nothing
        fix: add one: .impaired(delay: .milliseconds(10), reorder: …)
      4:39: error: a limit alone does nothing
        fix: say what it does, such as .impaired(delay: .milliseconds(10)), or leave it out
      5:39: error: the impairment says nothing
        fix: say what it does, such as .impaired(delay: .milliseconds(10)), or leave it out
      """),
    Mistake("what may be written") {
      let net = Network("net", subnet: "10.0.0.0/24")
        .impaired(delay: .seconds(60), jitter: .zero, loss: 100, rate: .kilobits(8), limit: 1)
      Host("h") { VM("a").port(on: net).impaired(loss: 0) }
    }.gives("no mistake"),
  ]

  private struct Bad: Lab {
    let wan = Network("wan", subnet: "10.0.0.0/24").impaired(delay: .milliseconds(10), loss: 0.1)
    let lan = Network("lan", subnet: "10.1.0.0/24")

    var topology: some Topology {
      Host("h") {
        VM("plain").port(on: wan)
        VM("own").port(on: wan).impaired(rate: .megabits(10))
        VM("exempt").port(on: wan).impaired(loss: 0)
        VM("trunk").port(on: lan) {
          Subport(on: wan, vlan: 7)
          Subport(on: Network("more", subnet: "10.2.0.0/24"), vlan: 8).impaired(loss: 1)
        }
      }
    }
  }

  private static func words(_ blueprint: Blueprint) -> [String] {
    blueprint.qdiscs.map { "\($0.namespace) \($0.device) \($0.discipline.words)" }
  }

  @Test(arguments: Datapath.allCases) func `A port's own replaces its network's`(datapath: Datapath) throws {
    let blueprint = try Bad().resolved(datapath).blueprint()
    #expect(
      Self.words(blueprint) == [
        "bad.plain eth0 netem limit 1000 delay 10ms loss 0.1%",
        "bad.own eth0 tbf rate 10mbit burst 6250 limit 131250",
        "bad.trunk eth0.7 netem limit 1000 delay 10ms loss 0.1%",
        "bad.trunk eth0.8 netem limit 1000 loss 1%",
      ])
    #expect(blueprint.features.isSuperset(of: [.netem, .tbf]))
    #expect(!(try TwoVMs().resolved(datapath).blueprint().features.contains(.netem)))
  }

  @Test func `All that it can do has tc's words`() throws {
    var impairment = Impairment(at: SourceLocation(file: "", line: 0, column: 0))
    (impairment.delay, impairment.jitter) = (1_500_000, 100_001)
    (impairment.loss, impairment.duplicate, impairment.reorder, impairment.corrupt) = (1, 2.5, 25, 100)
    (impairment.rate, impairment.limit) = (.kilobits(1500), 7)
    #expect(
      Qdisc.Discipline(impairment, mtu: 1500)?.words
        == "netem limit 7 delay 1500us 100001ns loss 1% duplicate 2.5% reorder 25% corrupt 100% rate 1500kbit"
    )
    impairment = Impairment(at: impairment.location)
    (impairment.rate, impairment.limit) = (.bits(8001), 2)
    // A burst holds two frames, however slow it is.
    #expect(Qdisc.Discipline(impairment, mtu: 1500)?.words == "tbf rate 8kbit burst 3036 limit 6072")
  }

  @Test func `What differs is changed in place`() throws {
    let wanted = try Bad().resolved(.linuxbridge).blueprint()
    func repair(_ change: (inout Blueprint) throws -> Void) rethrows -> (
      summaries: [String], commands: [String]
    ) {
      var observed = wanted
      try change(&observed)
      return (
        wanted.difference(from: observed).changes.map(\.summary), Plan(from: observed, to: wanted).commands
      )
    }
    let netem = "tc -n bad.plain qdisc replace dev eth0 root netem limit 1000 delay 10ms loss 0.1%"
    let tbf = "tc -n bad.own qdisc replace dev eth0 root tbf rate 10mbit burst 6250 limit 131250"
    #expect(repair { _ in } == ([], []))
    #expect(
      repair { $0.qdiscs.removeFirst() }
        == (["missing: qdisc netem of eth0 in bad.plain"], [netem]))
    #expect(
      repair { blueprint in
        guard case .netem(var found) = blueprint.qdiscs[0].discipline else { return }
        (found.delay, found.loss, found.rate) = (0, Qdisc.Share(), 8000)
        blueprint.qdiscs[0].discipline = .netem(found)
      } == (
        [
          "changed: qdisc netem of eth0 in bad.plain: delay is none, should be 10ms; loss is none, should be 0.1%; "
            + "rate is 8kbit, should be none"
        ], [netem]
      ))
    #expect(
      repair { $0.qdiscs[0].discipline = $0.qdiscs[1].discipline }
        == (
          [
            "changed: qdisc netem of eth0 in bad.plain: kind is tbf rate 10mbit burst 6250 limit 131250, "
              + "should be netem limit 1000 delay 10ms loss 0.1%"
          ], [netem]
        ))
    // The kernel rounds a burst down, by less than a tick's bytes; what differs by more is another one.
    func burst(_ bytes: Int) -> [String] {
      repair { blueprint in
        guard case .tbf(var found) = blueprint.qdiscs[1].discipline else { return }
        found.burst = bytes
        blueprint.qdiscs[1].discipline = .tbf(found)
      }.commands
    }
    #expect(burst(6248) == [])
    #expect(burst(6247) == [tbf])
    #expect(burst(6251) == [tbf])
    let other = Qdisc(namespace: "bad.exempt", device: "eth0", discipline: wanted.qdiscs[0].discipline)
    #expect(
      repair { $0.qdiscs.append(other) } == (
        ["unexpected: qdisc netem of eth0 in bad.exempt"], ["tc -n bad.exempt qdisc delete dev eth0 root"]
      ))
    // Somebody's own in its place goes before ours comes.
    let entry = TableEntry(
      namespace: "bad.plain", table: .qdisc, words: "dev eth0 root pfifo", message: [], device: "eth0")
    #expect(
      repair {
        $0.qdiscs.removeFirst()
        $0.entries.append(entry)
      }.commands == ["tc -n bad.plain qdisc delete dev eth0 root pfifo", netem])
  }

  @Test func `It comes after its device, and goes with it`() throws {
    let wanted = try Bad().resolved(.linuxbridge).blueprint()
    let commands = Plan(from: Blueprint(), to: wanted).commands
    let made = try #require(commands.lastIndex { $0.contains(" link ") })
    #expect(try #require(commands.firstIndex { $0.hasPrefix("tc ") }) > made)
    #expect(commands.count { $0.hasPrefix("tc ") } == 4)
    var kernel = Simulator(Blueprint())
    try kernel.apply(Plan(from: Blueprint(), to: wanted))
    #expect(wanted.difference(from: kernel.state).isEmpty)
    var observed = wanted
    let eth0 = try #require(observed.links.firstIndex { $0.name == "eth0" && $0.namespace == "bad.plain" })
    observed.links[eth0].kind = ForeignLink("dummy")
    #expect(Plan(from: observed, to: wanted).commands.count { $0.hasPrefix("tc -n bad.plain") } == 1)
  }

  @Test func `Rates have units`() {
    let texts: [(BitRate, String)] = [
      (.bits(7), "7 bit/s"), (.kilobits(1.5), "1.5 kbit/s"), (.megabits(10), "10 Mbit/s"),
      (.megabits(9.56), "9.56 Mbit/s"), (.gigabits(1.05), "1.05 Gbit/s"), (.kilobits(-2), "-2 kbit/s"),
      (.megabits(.infinity), "-1 bit/s"), (.megabits(10.001), "10 Mbit/s"),
    ]
    for (rate, text) in texts { #expect("\(rate)" == text) }
  }

  @Test func `An impairment crosses JSON`() throws {
    let document = try LabDocument(of: Bad(), settings: [])
    let decoded = try LabDocument(json: Array(document.json.utf8))
    #expect(decoded == document)
    #expect(decoded.networks[0].impairment?.loss == 0.1)
    #expect(document.json.contains(#""rate":10000000"#))
  }

  @Test func `A check of a rate is validated`() throws {
    Mistake("rates") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a").port(on: net)
        VM("b").port(on: net)
      }
    } checks: {
      Rate(from: "a", to: "c", .megabits(-1)..., lasting: .milliseconds(99))
      Ping(from: "a", to: "b").takes(.seconds(-1)...)
      Ping(from: "a", to: "b").loses(-1...101)
    }.gives(
      """
      7:11: error: lasting (ms) 99 is not in 100…60000
      7:11: error: a rate cannot be negative
      7:11: error: there is no VM 'c'
        fix: the lab's VMs: a, b
      8:11: error: at least (µs) -1000000 is not in 0…60000000
      9:11: error: loss 101 is not in 0…100
      9:11: error: least loss -1 is not in 0…100
      """
    ).check(file: #filePath)
  }
}
