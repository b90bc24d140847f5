import Testing
import Values

@testable import LabKit
@testable import LabModel

/// Services, and what VMs are besides their ports.
@Suite struct ServiceValidationTests {
  @Test(arguments: mistakes) func finds(mistake: Mistake) { mistake.check(file: #filePath) }

  static let mistakes: [Mistake] = [
    Mistake("services that cannot run, all at once") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let a = VM("a")
      Host("h") {
        a.port(on: net)
        a.runs()
        a.runs("/usr/bin/server", directory: "here")
        a.runs("server")
        a.runs("x", name: "b/c", ready: .tcp(0))
        a.runs("y", environment: ["A=B": "1"], ready: .unixSocket("socket"))
        a.runs("z", ready: .line(""))
        VM("aa").runs("x")
      }
    }.gives(
      """
      5:15: error: the service's name '' is empty
        fix: give it one: name: "server"
      5:15: error: there is no command to run
        fix: name a program: a.runs("sleep", "1000")
      6:15: error: the folder 'here' is relative, and to nothing
        fix: write it from / on
      7:15: error: 'server' is already the name of a service of a, declared on line 6
        fix: give one of them a name of its own: name: "server-2"
      8:15: error: the service's name 'b/c' contains '/'; letters, digits, '-', '_' and '.' can be used
        fix: write 'b-c'
      8:15: error: there is no port 0
        fix: write one from 1 to 65535
      9:15: error: 'A=B' cannot be the name of a variable
        fix: write letters, digits and '_'
      9:15: error: the socket 'socket' is relative, and to nothing
        fix: write it from / on
      10:15: error: '' cannot be looked for in a line
        fix: write what the line has in it
      11:22: error: there is no node 'aa'
        fix: did you mean 'a'?
      """),
    Mistake("needs that nothing meets, and that go in a circle") {
      let net = Network("net", subnet: "10.0.0.0/24")
      let a = VM("a")
      Host("h") {
        a.port(on: net)
        a.runs("one", needs: ["two"])
        a.runs("two", needs: ["a.three"])
        a.runs("three", needs: ["one"])
        a.runs("four", needs: ["oen"])
      }
    }.gives(
      """
      7:15: error: a.three needs a.one, which waits for it
        fix: leave one of the two needs out
      8:15: error: a.four needs 'oen', which is no service of the lab
        fix: the lab's services: a.one, a.two, a.three, a.four
      """),
    Mistake("what a VM cannot be") {
      let net = Network("net", subnet: "10.0.0.0/24")
      Host("h") {
        VM("a", hostname: "a b", sysctls: ["kernel.hostname": "x", "net.ipv4.ip_forward": ""]).port(on: net)
        VM("b", setup: ["true", " "]).port(on: net)
      }
    }.gives(
      """
      3:11: error: the host name 'a b' contains ' '; letters, digits, '-', '_' and '.' can be used
        fix: write 'a-b'
      3:11: error: 'kernel.hostname' is no setting of a network
        fix: write it as `sysctl` does: net.ipv4.ip_forward; others are the whole machine's
      3:11: error: the value of net.ipv4.ip_forward cannot be written
        fix: write one line: "1"
      4:11: error: a setup command of 'b' is no command for a shell
        fix: leave it out
      """),
  ]

  @Test func comesInTheOrderOfItsNeeds() throws {
    var document = LabDocument(name: "lab")
    let (net, a) = (Network("net", subnet: "10.0.0.0/24"), VM("a"))
    @TopologyBuilder func topology() -> TopologyGroup {
      Host("h") { a.port(on: net) }
      a.runs("last", needs: ["middle", "first"])
      a.runs("middle", needs: [a.runs("first")])
      a.runs("first", ready: .command("true", "x"), within: .milliseconds(1500))
    }
    document.add(topology().declarations, host: nil)
    let read = try LabDocument(json: Array(document.json.utf8))
    #expect(read == document)
    let lab = try read.resolved()
    #expect(lab.services.map(\.name) == ["first", "middle", "last"])
    #expect(lab.services[0].patience == 1500)
    let plan = Plan(from: Blueprint(), to: lab.blueprint())
    #expect(
      plan.commands.suffix(3) == ["first", "middle", "last"].map { "netlab exec lab a -- \($0) &" })
    // They stop in the other order, and before anything they use goes.
    let removal = Plan(from: lab.blueprint(), to: Blueprint())
    let stops = removal.lists.first?.erased.compactMap { ($0 as? Daemon.Step)?.daemon.service.name }
    #expect(stops == ["last", "middle", "first"])
  }

  @Test func namesEachVMOnEachNetwork() throws {
    var document = LabDocument(name: "lab")
    let (red, blue) = (Network("red", subnet: "10.0.0.0/24"), Network("blue", subnet: "fd00::/64"))
    let (a, b) = (VM("a", hostname: "machine"), VM("b"))
    @TopologyBuilder func topology() -> TopologyGroup {
      Host("h") {
        a.port(on: red, ip: "10.0.0.5")
        a.port(on: blue, ip: "fd00::5")
        b.port(on: red, ip: "10.0.0.6")
      }
    }
    document.add(topology().declarations, host: nil)
    #expect(
      try document.resolved().hostsFile == """
        127.0.0.1 localhost
        ::1 localhost ip6-localhost ip6-loopback
        10.0.0.5 a machine a.red
        fd00::5 a machine a.blue
        10.0.0.6 b b.red

        """)
  }
}
