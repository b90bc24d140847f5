import Foundation
import LabKit
import TestSupport
import Testing

@testable import LabKeeper
@testable import LabKernel
@testable import LabLifecycle
@testable import LabMachine
@testable import LabModel
@testable import LabProcesses

/// Services are a part of a lab as links are: started and waited for, looked at, mended, stopped. That they survive crashes
/// and errors at each step is tested with all other labs, of which ``ShippedLab/programs`` is one.
@Suite(.needs(.namespaces, .veth, .bridge), .timeLimit(.minutes(10)))
struct DaemonTests {
  /// TwoVMs with services of the test's own.
  private func document(_ change: (inout LabDocument) -> Void = { _ in }) throws -> LabDocument {
    var document = try ShippedLab.twoVMs().document()
    change(&document)
    return document
  }

  /// Brings a lab up for as long as the body runs, after which nothing of it is left.
  private func whileUp(_ document: LabDocument, _ body: (Lifecycle, Programs) throws -> Void) throws {
    let before = try Snapshot(of: document.name)
    let lifecycle = Lifecycle()
    _ = try lifecycle.up(document, labFile: "test")
    do {
      try body(lifecycle, Programs(lifecycle.store.folder(of: document.name)))
    } catch {
      _ = try? lifecycle.down(document.name)
      throw error
    }
    try lifecycle.down(document.name)
    #expect(try Snapshot(of: document.name) == before)
  }

  /// What is wrong with a running lab.
  private func problems(_ document: LabDocument) throws -> [String] {
    try Lifecycle().status(document.name).changes.map(\.summary)
  }

  private func expectGood(_ document: LabDocument) throws {
    let found = try problems(document)
    #expect(found.isEmpty)
  }

  private func keeper(_ document: LabDocument) throws -> LabKeeper {
    try #require(try LabKeeper(at: LabStore().folder(of: document.name).keeper))
  }

  /// The number of a service's process, as this process sees it.
  private func process(_ name: String, of document: LabDocument) throws -> Int32 {
    let inside = try #require(try keeper(document).daemons().first { $0.name == name }?.process)
    let namespace = try Files.list("/proc").compactMap(Int32.init).first { process in
      let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      let numbers = status?.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?.split(separator: "\t")
      let arguments = try? Files.read("/proc/\(process)/environ")
      return numbers?.last == "\(inside)" && numbers?.count ?? 0 > 2
        && (arguments.map { Data($0).range(of: Data("MARK=\(document.name)".utf8)) != nil } ?? false)
    }
    return try #require(namespace)
  }

  @Test func `One that was killed is missed, and started again`() throws {
    let document = try document {
      let name = $0.name
      $0.addService("s", on: "focal-1", ["sh", "-c", "echo first words; exec sleep 1000"]) {
        $0.environment = ["MARK": name]
        $0.ready = .line("first words")
      }
    }
    try whileUp(document) { lifecycle, _ in
      try expectGood(document)
      let old = try process("focal-1.s", of: document)
      kill(old, SIGKILL)
      _ = try keeper(document).waitForEnd(of: "focal-1.s", within: .seconds(10))
      let problem = try #require(try problems(document).first)
      #expect(problem.hasPrefix("not running: s in \(document.name).focal-1: killed by signal 9, "))
      #expect(problem.contains("last lines: first words"))
      let report = try lifecycle.up(document, labFile: "test")
      #expect(report.changes.count == 1)
      try expectGood(document)
      let new = try process("focal-1.s", of: document)
      #expect(new != old)
    }
  }

  @Test func `With its keeper all are gone, and come again`() throws {
    let document = try document {
      $0.addService("a", on: "focal-1", ["sleep", "1000"])
      $0.addService("b", on: "focal-2", ["sleep", "1000"])
    }
    try whileUp(document) { lifecycle, _ in
      try keeper(document).end()
      #expect(try problems(document).count == 2)
      #expect(try lifecycle.up(document, labFile: "test").changes.count == 2)
      try expectGood(document)
    }
  }

  @Test func `One whose definition changed is started anew, and no other`() throws {
    var document = try document {
      $0.addService("same", on: "focal-1", ["sleep", "1000"])
      $0.addService("other", on: "focal-1", ["sleep", "1000"])
    }
    try whileUp(document) { lifecycle, _ in
      let old = try keeper(document).daemons()
      document.services[1].command = ["sleep", "1001"]
      // Another line of the file is no other service.
      document.services[0].location.line += 10
      #expect(try lifecycle.up(document, labFile: "test").changes.count == 1)
      let new = try keeper(document).daemons()
      #expect(new.first { $0.name == "focal-1.same" }?.process == old[0].process)
      #expect(new.first { $0.name == "focal-1.other" }?.process != old[1].process)
      document.services.removeLast()
      #expect(try lifecycle.up(document, labFile: "test").changes.count == 1)
      #expect(try keeper(document).daemons().map(\.name) == ["focal-1.same"])
    }
  }

  @Test func `One in a namespace that was made again is started there`() throws {
    let document = try document { $0.addService("s", on: "focal-1", ["sleep", "1000"]) }
    try whileUp(document) { lifecycle, _ in
      try runProgram(["ip", "netns", "delete", "\(document.name).focal-1"])
      _ = try lifecycle.up(document, labFile: "test")
      try expectGood(document)
      let devices = try runProgram([
        builtProgram("netlab"), "exec", document.name, "focal-1", "--", "sh", "-c",
        "readlink /proc/self/ns/net; for p in $(pgrep -x sleep); do readlink /proc/$p/ns/net; done",
      ])
      let namespaces = devices.output.split(separator: "\n")
      #expect(namespaces.count == 2 && Set(namespaces).count == 1, "\(devices)")
    }
  }

  /// What a service can do instead of getting ready, and what is said of it.
  static let failures: [(command: [String], ready: Readiness?, words: String)] = [
    (["sh", "-c", "echo so far; exec sleep 1000"], .tcp(80), "is not ready after 0.3 seconds"),
    (["sh", "-c", "echo so far; exec sleep 1000"], .udp(53), "something has UDP port 53"),
    (["sh", "-c", "echo so far; exec sleep 1000"], .unixSocket("/nowhere"), "a socket at /nowhere"),
    (["sh", "-c", "echo so far; exec sleep 1000"], .line("further"), "its output has 'further' in it"),
    (["sh", "-c", "echo so far; exec sleep 1000"], .command("false"), "'false' succeeds"),
    (["sh", "-c", "echo so far; exit 3"], .tcp(80), "exited with 3 before it was ready"),
    (["sh", "-c", "echo so far; exit 0"], .line("further"), "exited with 0 before it was ready"),
    (["/nowhere/program"], nil, "No such file or directory"),
  ]

  @Test(arguments: failures.indices) func `When one does not get ready, all is undone`(index: Int) throws {
    let failure = Self.failures[index]
    let document = try document {
      $0.addService("good", on: "focal-2", ["sleep", "1000"])
      $0.addService("bad", on: "focal-1", failure.command) {
        $0.ready = failure.ready
        $0.patience = 300
      }
    }
    let before = try Snapshot(of: document.name)
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.contains(failure.words), "\(words)")
    #expect(words.contains("test:1:1: error:"), "\(words)")
    if failure.ready != nil { #expect(words.contains("so far"), "\(words)") }
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test func `A running lab keeps its services when another one does not get ready`() throws {
    let old = try document { $0.addService("s", on: "focal-1", ["sleep", "1000"]) }
    try whileUp(old) { lifecycle, _ in
      let process = try keeper(old).daemons()[0].process
      var new = old
      new.addService("bad", on: "focal-2", ["false"]) { $0.ready = .tcp(80) }
      #expect(throws: RunnerError.self) { try lifecycle.up(new, labFile: "test") }
      try expectGood(old)
      #expect(try keeper(old).daemons().map(\.process) == [process])
      // One that was to be changed is what it was.
      new = old
      new.services[0].command = ["sh", "-c", "exit 1"]
      new.services[0].ready = .tcp(80)
      #expect(throws: RunnerError.self) { try lifecycle.up(new, labFile: "test") }
      try expectGood(old)
    }
  }

  @Test func `A port that somebody has is not taken for the service's`() throws {
    let server = ["python3", "-m", "http.server", "80"]
    let document = try document {
      $0.addService("first", on: "focal-1", server) { $0.ready = .tcp(80) }
      $0.addService("second", on: "focal-1", server) {
        $0.ready = .tcp(80)
        $0.needs = ["first"]
      }
    }
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    #expect(error.map { "\($0)" }?.contains("before it does, something listens at TCP port 80") == true)
    // Each node has ports of its own.
    var two = document
    two.services[1].node = "focal-2"
    two.services[1].needs = ["focal-1.first"]
    try whileUp(two) { _, _ in try expectGood(two) }
  }

  @Test func `They start after what they need, and stop before it`() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: file) }
    func script(_ name: String) -> [String] {
      [
        "sh", "-c",
        "trap 'echo -\(name) >> \(file); exit' TERM; echo +\(name) >> \(file); echo up; sleep 1000 & wait",
      ]
    }
    let document = try document {
      for (name, needs) in [("c", ["focal-2.b"]), ("a", []), ("b", ["focal-1.a"])] {
        $0.addService(name, on: name == "b" ? "focal-2" : "focal-1", script(name)) {
          $0.needs = needs
          $0.ready = .line("up")
        }
      }
    }
    try whileUp(document) { _, _ in }
    let words = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(words == ["+a", "+b", "+c", "-c", "-b", "-a"])
  }

  @Test func `One that ignores SIGTERM, and one that forks away, end with the lab`() throws {
    let document = try document {
      $0.addService("deaf", on: "focal-1", ["sh", "-c", "trap '' TERM; echo up; sleep 1000; sleep 1000"]) {
        $0.ready = .line("up")
      }
      $0.addService("away", on: "focal-2", ["sh", "-c", "sleep 1000 &"])
    }
    try whileUp(document) { _, _ in try expectGood(document) }
  }

  @Test func `What services write is shown`() throws {
    let document = try document {
      $0.addService("a", on: "focal-1", ["sh", "-c", "echo from a; exec sleep 1000"]) {
        $0.ready = .line("a")
      }
      $0.addService("b", on: "focal-1", ["sh", "-c", "echo from b >&2; exec sleep 1000"]) {
        $0.ready = .line("b")
      }
      $0.changeVM("focal-2") { $0.setup = ["echo done"] }
    }
    func logs(_ arguments: String...) throws -> ProgramRun {
      try runProgram([builtProgram("netlab"), "logs", document.name] + arguments)
    }
    try whileUp(document) { _, _ in
      let all = try logs("focal-1").output
      #expect(all.contains("from a\n") && all.contains("from b\n") && all.contains("focal-1.b.log <=="))
      let (one, setup) = (try logs("focal-1", "b"), try logs("focal-2", "setup"))
      #expect(one.output == "from b\n")
      #expect(setup.output == "done\n")
      let (unknown, none) = (try logs("focal-1", "c"), try logs("compute-1"))
      #expect(unknown.status == 2 && unknown.errors.contains("'focal-1' has no service 'c'"))
      #expect(none.status == 2 && none.errors.contains("nothing of the lab's runs in 'compute-1'"))
      // It goes on until it is told to end.
      let followed = try runProgram([
        "timeout", "1", builtProgram("netlab"), "logs", document.name, "focal-1", "a",
        "--follow",
      ])
      #expect(followed.output == "from a\n" && followed.status == 124)
    }
  }

  @Test func `A hundred services`() throws {
    let document = try document { document in
      for index in 0..<100 {
        document.addService("s\(index)", on: "focal-\(index % 2 + 1)", ["sleep", "1000"])
      }
    }
    try whileUp(document) { lifecycle, _ in
      try expectGood(document)
      #expect(try lifecycle.up(document, labFile: "test").changes.isEmpty)
    }
  }

  @Test func `A setup runs once for each namespace, in order, and before services`() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let document = try document {
      $0.changeVM("focal-1") {
        $0.setup = ["echo one >> \(file)", "hostname >> \(file)"]
        $0.hostname = "machine"
      }
      $0.addService("s", on: "focal-1", ["sh", "-c", "echo service >> \(file); echo up; exec sleep 1000"]) {
        $0.ready = .line("up")
      }
    }
    func words() throws -> [Substring] {
      try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    }
    try whileUp(document) { lifecycle, _ in
      #expect(try words() == ["one", "machine", "service"])
      #expect(try lifecycle.up(document, labFile: "test").changes.isEmpty)
      #expect(try words().count == 3)
      try runProgram(["ip", "netns", "delete", "\(document.name).focal-1"])
      _ = try lifecycle.up(document, labFile: "test")
      #expect(try words().count == 6)
    }
  }

  @Test func `A setup that fails undoes the lab`() throws {
    let document = try document {
      $0.changeVM("focal-1") { $0.setup = ["true", "echo no more space; exit 7", "true"] }
    }
    let before = try Snapshot(of: document.name)
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.contains("the setup of focal-1 failed: 'echo no more space; exit 7' exited with 7"))
    #expect(words.contains("    no more space"))
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test func `A VM has settings, a name, and finds others by theirs`() throws {
    let document = try document {
      $0.changeVM("focal-1") {
        $0.sysctls = ["net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.rp_filter": "2"]
      }
    }
    try whileUp(document) { lifecycle, _ in
      func run(_ command: String) throws -> String {
        try runProgram([
          builtProgram("netlab"), "exec", document.name, "focal-1", "--", "sh", "-c", command,
        ]).output.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      #expect(try run("hostname") == "focal-1")
      #expect(try run("getent hosts focal-2") == "192.168.21.66   focal-2 focal-2.int_net")
      #expect(try run("sysctl -n net.ipv4.ip_forward net.ipv4.conf.eth0.rp_filter") == "1\n2")
      #expect(try run("sysctl -qw net.ipv4.ip_forward=0") == "")
      let found = try problems(document)
      #expect(found.count == 1 && found[0].contains("net.ipv4.ip_forward"), "\(found)")
      #expect(try lifecycle.up(document, labFile: "test").changes.count == 1)
      #expect(try run("sysctl -n net.ipv4.ip_forward") == "1")
    }
    // The machine has its own.
    #expect(try runProgram(["getent", "hosts", "focal-2"]).status != 0)
  }

  @Test func `What a command leaves running ends with the lab, and is named`() async throws {
    let document = try document()
    let warnings = Warnings()
    var lifecycle = Lifecycle()
    lifecycle.warning = { warnings.add($0) }
    let before = try Snapshot(of: document.name)
    _ = try lifecycle.up(document, labFile: "test")
    // In a session of its own before the command ends, whose end ends all of its own session.
    let script = "{ setsid sh -c 'echo up; exec sleep 98765 >/dev/null 2>&1' & } | head -1"
    let result = try await ProcessRunner().run(
      [builtProgram("netlab"), "exec", document.name, "focal-1", "--", "sh", "-c", script],
      timeout: .seconds(60))
    #expect(result.output == "up\n")
    try lifecycle.down(document.name)
    #expect(warnings.all.contains { $0.contains("'sleep 98765'") }, "\(warnings.all)")
    #expect(try Snapshot(of: document.name) == before)
  }
}

private final class Warnings: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []

  func add(_ text: String) { lock.withLock { texts.append(text) } }
  var all: [String] { lock.withLock { texts } }
}
