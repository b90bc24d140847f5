import Foundation
import Glibc
import Testing

@testable import LabKeeper
@testable import LabMachine
@testable import LabProcesses

/// Keepers and their daemons, for root; those of ordinary users are the same program's.
@Suite struct KeeperTests {
  @Test func `A daemon runs, is listed and writes its log`() async throws {
    try await withKeeper { keeper in
      let before = Int64(time(nil)) * 1000
      var request = keeper.request("vm.web", "echo hello; echo again >&2; exec sleep 1000")
      request.definition = "one line\nand another"
      let process = try keeper.start(request)
      let report = try #require(try keeper.daemons().first)
      #expect(report.name == "vm.web" && report.state == .running && report.process == process)
      #expect(report.definition == request.definition && report.started >= before)
      #expect(report.ended == nil && report.status == nil && report.restarts == 0)
      #expect(await eventually { keeper.log("vm.web") == "hello\nagain\n" })
      let error = #expect(throws: RunnerError.self) { try keeper.start(request) }
      #expect(error?.message.hasSuffix("it runs already") == true, "\(String(describing: error))")
      try keeper.stop("vm.web")
      #expect(try keeper.daemons().isEmpty)
      #expect(throws: RunnerError.self) { try keeper.stop("vm.web") }
    }
  }

  @Test(
    arguments: [
      ("exit 3", .exited(3)), ("exit 0", .exited(0)), ("kill -SEGV $$", .signalled(SIGSEGV)),
    ] as [(String, ProcessResult.Status)])
  func `One that ends says how and when`(script: String, status: ProcessResult.Status) async throws {
    try await withKeeper { keeper in
      try keeper.start(keeper.request("vm.short", "echo last words; " + script))
      let report = try #require(try keeper.waitForEnd(of: "vm.short", within: .seconds(10)))
      #expect(report.state == .ended && report.status == status && report.process == nil)
      #expect(try #require(report.ended) >= report.started)
      // What it said is in the log by then.
      #expect(keeper.log("vm.short") == "last words\n")
      // It can be started again, and forgotten.
      try keeper.start(keeper.request("vm.short", "exec sleep 1000"))
      #expect(try keeper.daemons().map(\.state) == [.running])
      #expect(try keeper.waitForEnd(of: "vm.short", within: .milliseconds(10)) == nil)
      try keeper.stop("vm.short")
      #expect(try keeper.daemons().isEmpty)
    }
  }

  @Test func `One that cannot be started says why`() async throws {
    try await withKeeper { keeper in
      func failure(_ change: (inout DaemonRequest) -> Void) -> String {
        var request = keeper.request("vm.bad", "exec sleep 1000")
        change(&request)
        return #expect(throws: RunnerError.self) { try keeper.start(request) }?.message ?? ""
      }
      #expect(
        failure { $0.command = ["no-such-command"] }.hasSuffix(
          "cannot run no-such-command: No such file or directory"))
      #expect(failure { $0.command = ["/etc/passwd"] }.hasSuffix("cannot run /etc/passwd: Permission denied"))
      #expect(
        failure { $0.directory = "/nowhere" }.hasSuffix(
          "cannot enter the directory /nowhere: No such file or directory"))
      #expect(
        failure { $0.namespace = "/run/netns/none" }.contains(
          "cannot open the network namespace /run/netns/none"))
      #expect(failure { $0.logs = "/nowhere" }.hasSuffix("No such file or directory"))
      for name in ["", ".hidden", "../up", "a/b", String(repeating: "a", count: 201)] {
        #expect(failure { $0.name = name }.hasSuffix("its name is none of a daemon's"))
      }
      #expect(failure { $0.command = ["a\0b"] }.contains("Invalid argument"))
      #expect(failure { $0.definition = String(repeating: "a", count: 200_000) }.contains("Message too long"))
      #expect(failure { $0.command = [] }.contains("there is no command"))
      let started = try keeper.daemons()
      #expect(started.isEmpty)
    }
  }

  @Test func `One that ignores SIGTERM is killed with all it started`() async throws {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      let script =
        lifeLine.shell + "trap '' TERM; setsid -f sleep 1000; echo ready; while :; do sleep 1000; done"
      var request = keeper.request("vm.deaf", script)
      request.grace = .milliseconds(100)
      try keeper.start(request)
      #expect(await eventually { keeper.log("vm.deaf") == "ready\n" })
      #expect(try await lifeLine.isHeld())
      try keeper.stop("vm.deaf")
      #expect(try await !lifeLine.isHeld(), "not only soon, but at the return of stop")
    }
  }

  @Test func `One that forks away runs on, and ends when what it left does`() async throws {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      let request = keeper.request(
        "vm.away", lifeLine.shell + "setsid -f sh -c 'sleep 1000 & wait'; echo away")
      try keeper.start(request)
      #expect(await eventually { (try? keeper.daemons())?.first?.process == nil })
      #expect(try keeper.daemons().map(\.state) == [.running])
      try keeper.stop("vm.away")
      #expect(try await !lifeLine.isHeld())
      // What it left ends by itself, when it is let go.
      let script = "mkfifo $LOGS/go; setsid -f sh -c 'read line < $LOGS/go; kill -USR1 $$'"
      try keeper.start(keeper.request("vm.away", script))
      #expect(await eventually { (try? keeper.daemons())?.first?.process == nil })
      _ = try await netlab.run(["sh", "-c", "echo > \(keeper.logs)/go"])
      #expect(try keeper.waitForEnd(of: "vm.away", within: .seconds(10))?.status == .signalled(SIGUSR1))
      // One that fails is not running, whatever it left.
      let other = try await LifeLine()
      try keeper.start(keeper.request("vm.failed", other.shell + "setsid -f sleep 1000; exit 5"))
      #expect(try keeper.waitForEnd(of: "vm.failed", within: .seconds(10))?.status == .exited(5))
      #expect(try await !other.isHeld())
    }
  }

  @Test func `With the keeper all is gone, at once`() async throws {
    let lifeLine = try await LifeLine()
    try await withKeeper { keeper in
      let script =
        lifeLine.shell + "trap '' TERM; setsid -f sleep 1000; echo ready; while :; do sleep 1000; done"
      try keeper.start(keeper.request("vm.one", script))
      #expect(await eventually { keeper.log("vm.one") == "ready\n" })
      #expect(try await lifeLine.isHeld())
      try keeper.end()
      #expect(try await !lifeLine.isHeld())
      #expect(throws: RunnerError.self) { try keeper.daemons() }
      #expect(try LabKeeper(at: keeper.path) == nil)
    }
    #expect(try await lifeLine.hasEnded())
  }

  @Test func `A hundred daemons`() async throws {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      // All of them hold one lock together: it is free when the last has ended.
      let script = lifeLine.shell.replacing("flock 9", with: "flock -s 9") + "exec sleep 1000"
      let names = (0..<100).map { "vm-\($0).service" }
      for name in names { try keeper.start(keeper.request(name, script)) }
      #expect(try keeper.daemons().map(\.name) == names)
      #expect(try Set(keeper.daemons().map(\.state)) == [.running])
      #expect(await eventually { (try? await lifeLine.isHeld()) == true })
      for name in names.prefix(10) { try keeper.stop(name) }
      #expect(try keeper.daemons().map(\.name) == Array(names.dropFirst(10)))
      try keeper.end()
      #expect(try await !lifeLine.isHeld())
    }
  }

  @Test func `One that prints a hundred megabytes costs two`() async throws {
    try await withKeeper { keeper in
      let script = "yes netlab | head -c 100000000; echo; echo all of it; exec sleep 1000"
      try keeper.start(keeper.request("vm.loud", script))
      #expect(await eventually { keeper.log("vm.loud").hasSuffix("\nall of it\n") })
      for name in ["vm.loud.log", "vm.loud.log.1"] {
        let size = try #require(Files.identity(of: "\(keeper.logs)/\(name)")).size
        #expect(size > 0 && size <= 1 << 20)
      }
      #expect(try Files.list(keeper.logs).filter { $0.hasPrefix("vm.loud") }.count == 2)
      #expect(try keeper.daemons().map(\.state) == [.running])
    }
  }

  @Test func `It is started again as its policy says`() async throws {
    try await withKeeper { keeper in
      let events = try keeper.watch()
      var request = keeper.request("vm.again", "exit 1")
      request.restart = .onFailure
      try keeper.start(request)
      let expected: [DaemonEvent.Kind] = [.pausing, .restarted, .pausing, .restarted]
      for kind in expected {
        let event = try #require(try events.next(within: .seconds(10)))
        #expect(event.name == "vm.again" && event.kind == kind && event.status == .exited(1))
      }
      #expect(try #require(keeper.daemons().first).restarts >= 2)
      try keeper.stop("vm.again")
      #expect(try keeper.daemons().isEmpty)
      request.name = "vm.once"
      request.command = ["true"]
      try keeper.start(request)
      #expect(try keeper.waitForEnd(of: "vm.once", within: .seconds(10))?.state == .ended)
      request.name = "vm.always"
      request.restart = .always
      try keeper.start(request)
      let always = try keeper.watch()
      #expect(await eventually { (try? always.next(within: .seconds(1)))?.kind == .restarted })
      try keeper.stop("vm.always")
    }
  }

  @Test func `Neither side minds what makes no sense`() async throws {
    try await withKeeper { keeper in
      try keeper.start(keeper.request("vm.web", "exec sleep 1000"))
      let connections = try (0..<3).map { _ in try #require(try KeeperConnection(keeper.path)) }
      for fields in [
        [], [""], ["start"], ["start", "vm.x"], ["start", "vm.x", "logs=/tmp", "", "9", "a"],
        ["start", "vm.x", "x=1", ""],
        ["start", "vm.x", "signal=0"], ["start", "vm.x", "grace=-1"], ["start", "vm.x", "user=1"], ["stop"],
        ["next"],
        ["next", "-1"], ["adopt"], ["adopt", "1", "1"], ["adopt", "-1"], ["signal", "9"], ["signal", "99"],
        ["watch"],
        ["nonsense"], [String(repeating: "x", count: 150_000)],
      ] {
        for connection in connections {
          try? connection.send(fields, within: .seconds(1))
          // Some get no answer.
          _ = try? connection.receive(within: .milliseconds(2))
        }
      }
      #expect(try keeper.daemons().map(\.name) == ["vm.web"])
    }
    // One that says nothing, and one that says too much.
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    let path = "\(folder)/keeper"
    let silent = try Impostor(at: path)
    var keeper = try #require(try LabKeeper(at: path))
    let request = DaemonRequest(name: "vm.x", command: ["true"], logs: folder)
    let error = #expect(throws: RunnerError.self) { try keeper.start(request, within: .milliseconds(20)) }
    #expect(error?.message.contains("Connection timed out") == true, "\(String(describing: error))")
    silent.close()
    let answers = [
      "", "\0", "no end", "daemon\0x\0", "ok\0x\0y\0", "event\0", "ok",
      "daemon\u{0}0\u{0}a\u{0}ended\u{0}0\u{0}0\u{0}0\u{0}0\u{0}0\u{0}\u{0}",
    ].map { Array($0.utf8) }
    let talkative = try Impostor(at: path)
    keeper = try #require(try LabKeeper(at: path))
    let first = talkative.accept()
    talkative.answer(answers)
    for _ in answers { #expect(throws: RunnerError.self) { try keeper.daemons() } }
    Glibc.close(first)
    talkative.close()
  }

  @Test func `Commands run among the lab's processes, and end as they do`() async throws {
    try await withKeeper { keeper in
      try keeper.start(keeper.request("vm.web", "echo $$ > $LOGS/pid; exec sleep 1000"))
      for contain in [[], ["--contain"]] {
        func run(_ script: String) async throws -> ProcessResult {
          try await netlab.run(keeper.helper + contain + ["--", "sh", "-c", script])
        }
        for (script, status) in [
          ("exit 9", .exited(9)), ("kill -KILL $$", .signalled(SIGKILL)),
          ("exec no-such-command", .exited(127)),
          ("exec sleep 0", .exited(0)),
        ] as [(String, ProcessResult.Status)] {
          #expect(try await run(script).status == status, "\(script)")
        }
        let list = try await run("ps -o comm= -p $(cat \(keeper.logs)/pid)")
        #expect(list.output == "sleep\n", "\(list)")
        let missing = try await netlab.run(keeper.helper + contain + ["--", "no-such-command"])
        #expect(missing.status == .exited(127))
        #expect(missing.errorOutput == "netlab: cannot run no-such-command: No such file or directory\n")
      }
      #expect(try keeper.commands().isEmpty)
      let gone = try await netlab.run([helperPath, "--keeper", "\(keeper.logs)/none", "--", "true"])
      #expect(gone.status == .exited(126) && gone.errorOutput.contains("cannot reach the keeper"))
    }
  }

  @Test func `What a command leaves runs on, unless it is contained`() async throws {
    try await withKeeper { keeper in
      for contain in [false, true] {
        let lifeLine = try await LifeLine()
        // In a session of its own before the command ends, whose end ends all of its own session.
        let left = "{ setsid sh -c 'echo up; exec sleep 1000 >/dev/null 2>&1' & } | head -1"
        let script = "\(lifeLine.shell)\(left); exit 4"
        let result = try await netlab.run(
          keeper.helper + (contain ? ["--contain"] : []) + ["--", "sh", "-c", script])
        #expect(result.status == .exited(4))
        let held = try await lifeLine.isHeld()
        #expect(held == !contain)
        let strays = try keeper.strays()
        #expect(strays.map(\.command) == (contain ? [] : ["sleep 1000"]))
        for stray in strays { #expect(kill(stray.process, 0) == 0) }
        if !contain {
          try keeper.end()
          #expect(try await !lifeLine.isHeld())
          try keeper.restart()
        }
      }
    }
  }

  @Test(arguments: [[], ["--contain"]]) func `A command ends with the one who sent it`(contain: [String])
    async throws
  {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      // A shell that is killed, which the helper watches.
      let script =
        lifeLine.shell + (contain.isEmpty ? "" : "setsid -f sleep 1000; ") + "echo started; exec sleep 1000"
      let command = "echo $$; \"$0\" --parent $$ \"$@\" & wait"
      let arguments = keeper.helper + contain + ["--", "sh", "-c", script]
      _ = try await netlab.withProcess(["sh", "-c", command] + arguments) { process in
        var shell: Int32?
        for await line in process.standardOutput.lines {
          if line == "started" { break }
          shell = Int32(line)
        }
        #expect(try await lifeLine.isHeld())
        let killed = try #require(shell)
        #expect(kill(killed, SIGKILL) == 0)
        #expect(try await lifeLine.hasEnded())
      }
    }
  }

  @Test func `Nothing of a contained command survives its process group`() async throws {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      let script =
        lifeLine.shell + "trap '' TERM; setsid -f sleep 1000; echo started; while :; do sleep 1000; done"
      let command = keeper.helper + ["--contain", "--", "sh", "-c", script]
      _ = try await netlab.withProcess(command) { process in
        for await _ in process.standardOutput.lines { break }
        let held = try await lifeLine.isHeld()
        #expect(held)
        process.send(signal: SIGKILL)
        await process.exit()
      }
      #expect(try await lifeLine.hasEnded())
    }
  }

  @Test func `A signal for the one who sent a command reaches the command`() async throws {
    try await withKeeper { keeper in
      let script = "trap 'echo told; exit 6' TERM; echo started; while :; do sleep 0.01; done"
      let (_, result) = try await netlab.withProcess(
        ["sh", "-c", "echo $$; exec \"$0\" \"$@\""] + keeper.helper + ["--", "sh", "-c", script]
      ) {
        process in
        var sender: Int32?
        for await line in process.standardOutput.lines {
          if line == "started" { break }
          sender = Int32(line)
        }
        let told = try #require(sender)
        #expect(try keeper.commands().map(\.sender) == [told])
        kill(told, SIGTERM)
        await process.exit()
      }
      #expect(result.status == .exited(6))
    }
  }

  @Test(arguments: [[], ["--contain"]]) func `One who is stopped does not hold up the end`(contain: [String])
    async throws
  {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      let arguments =
        keeper.helper + contain + ["--", "sh", "-c", lifeLine.shell + "echo started; exec sleep 1000"]
      let (_, result) = try await netlab.withProcess(arguments) { process in
        for await _ in process.standardOutput.lines { break }
        let sender = try #require(try keeper.commands().first).sender
        kill(sender, SIGSTOP)
        try keeper.end()
        #expect(try await !lifeLine.isHeld())
        kill(sender, SIGCONT)
        await process.exit()
      }
      #expect(result.status == .exited(128 + SIGKILL))
    }
  }

  @Test func `Daemons and commands are in one place`() async throws {
    try await withNamespace { path in
      try await withKeeper { keeper in
        let etc = "\(keeper.logs)/etc"
        try Files.makePrivateDirectory(etc)
        try Files.write(Array("10.0.0.1 vm\n".utf8), to: "\(etc)/hosts", permissions: 0o644)
        try Files.write([], to: "\(etc)/no-such-file-of-netlab", permissions: 0o644)
        let script = "cat /etc/hosts; hostname; ls /sys/class/net; ps -o comm= -p 1; pwd; id -u"
        var request = keeper.request("vm.place", script + "; touch /tmp/x; sleep 1000")
        request.namespace = path
        request.etc = etc
        request.hostname = "vm"
        request.directory = "/usr"
        request.user = (1234, 1234)
        try keeper.start(request)
        let expected = "10.0.0.1 vm\nvm\nlo\nnetlab-keeper\n"
        #expect(
          await eventually { keeper.log("vm.place").contains("\n\(expected)/usr\n1234\n") },
          "\(keeper.log("vm.place"))")
        #expect(
          keeper.log("vm.place").hasPrefix("netlab: /etc/no-such-file-of-netlab stays as it is, since "))
        let place = ["--netns", path, "--etc", etc, "--hostname", "vm", "--"]
        for contain in [[], ["--contain"]] {
          let result = try await netlab.run(keeper.helper + contain + place + ["sh", "-c", script])
          #expect(result.output.hasPrefix(expected), "\(result)")
          #expect(result.errorOutput.contains("/etc/no-such-file-of-netlab stays as it is"))
        }
        // Without a keeper as well.
        let alone = try await netlab.run([helperPath] + place + ["sh", "-c", "cat /etc/hosts; hostname"])
        #expect(alone.output == "10.0.0.1 vm\nvm\n", "\(alone)")
      }
    }
  }

  @Test func `Without its socket, which nobody can come by again, a keeper ends`() async throws {
    try await withKeeper { keeper in
      let lifeLine = try await LifeLine()
      try keeper.start(keeper.request("vm.web", lifeLine.shell + "echo ready; exec sleep 1000"))
      #expect(await eventually { keeper.log("vm.web") == "ready\n" })
      try Files.removeFile(keeper.path)
      #expect(try await lifeLine.hasEnded())
    }
  }

  /// A netlab that is killed on the way leaves nothing, and one that had come far enough to write its state leaves the lab.
  @Test(arguments: [false, true]) func `A keeper outlives its starter for a lab's state alone`(hasState: Bool)
    async throws
  {
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    let lifeLine = try await LifeLine()
    if hasState { try Files.write([], to: "\(folder)/state.json", permissions: 0o600) }
    let script = lifeLine.shell + "echo ready; exec sleep 1000"
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [folder = folder as String, script = script as String] in
      let keeper = try KeptLab(in: folder)
      try keeper.start(keeper.request("vm.web", script))
      while keeper.log("vm.web") != "ready\n" { await Task.yield() }
      kill(getpid(), SIGKILL)
    }
    if hasState {
      #expect(try await lifeLine.isHeld())
      let keeper = try KeptLab(in: folder)
      #expect(try keeper.daemons().map(\.name) == ["vm.web"])
      try keeper.end()
    }
    #expect(try await lifeLine.hasEnded())
    #expect(Files.identity(of: "\(folder)/keeper") == nil)
  }

  /// What its daemons see is a world, in which the user is root.
  @Test func `An ordinary user's keeper has daemons as well`() async throws {
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    // The checkout may be closed to them.
    let copy = "\(folder)/netlab-exec"
    #expect(try await netlab.run(["cp", helperPath, copy]).status == .exited(0))
    try Files.give(folder, to: 61_234, group: 61_234)
    let lifeLine = try await LifeLine()
    try await lifeLine.allowAll()
    let line = lifeLine.shell
    await #expect(processExitsWith: .success) {
      [folder = folder as String, copy = copy as String, line = line as String] in
      try #require(setgid(61_234) == 0 && setuid(61_234) == 0)
      let keeper = try KeptLab(in: folder, helper: copy)
      let script =
        line + "id -u; cat /proc/self/comm; ps -o comm= -p 1; hostname; ip -o link | wc -l; echo $$"
      var request = keeper.request("vm.web", script + "; setsid -f sleep 1000; exec sleep 1000")
      request.hostname = "vm"
      request.user = (33, 33)
      let process = try keeper.start(request)
      let expected = "0\ncat\nnetlab-keeper\nvm\n1\n\(process)\n"
      #expect(await eventually { keeper.log("vm.web") == expected }, "\(keeper.log("vm.web"))")
      #expect(try keeper.daemons().map(\.state) == [.running])
      try keeper.end()
    }
    #expect(try await !lifeLine.isHeld())
  }

  @Test func `Several who start one come to the same`() async throws {
    try await withKeeper { keeper in
      for _ in 0..<10 {
        try keeper.end()
        let path = keeper.path
        let keepers = try await withThrowingTaskGroup(of: LabKeeper.self) { group in
          for _ in 0..<4 { group.addTask { try LabKeeper(startedAt: path) } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        try keepers[0].start(keeper.request("vm.web", "exec sleep 1000"))
        for other in keepers { #expect(try other.daemons().map(\.name) == ["vm.web"]) }
        try keeper.restart()
      }
    }
  }

  @Test func `A folder that is not the user's alone is refused`() async throws {
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    _ = unsafe chmod(folder, 0o755)
    let error = #expect(throws: RunnerError.self) { try LabKeeper(startedAt: "\(folder)/keeper") }
    #expect(
      error?.message.contains("cannot use the folder of running labs \(folder): Operation not permitted")
        == true)
    #expect(try LabKeeper(at: "\(folder)/keeper") == nil)
  }
}

private let helperPath = buildDirectory + "/netlab-exec"

/// A keeper with a folder of its own.
private final class KeptLab {
  let logs: String
  private var keeper: LabKeeper
  var path: String { "\(logs)/keeper" }
  /// The beginning of a command line that runs something in the lab.
  var helper: [String] { [helperPath, "--keeper", path] }

  init(in folder: String, helper: String? = nil) throws {
    logs = folder
    keeper = try LabKeeper(startedAt: "\(folder)/keeper", helper: helper)
  }

  func restart() throws { keeper = try LabKeeper(startedAt: path) }

  func request(_ name: String, _ script: String) -> DaemonRequest {
    var request = DaemonRequest(name: name, command: ["sh", "-c", script], logs: logs)
    request.environment = ["PATH": InstalledProgram.searchPath, "LOGS": logs]
    return request
  }

  func log(_ name: String) -> String {
    String(decoding: (try? Files.read("\(logs)/\(name).log")) ?? [], as: UTF8.self)
  }

  @discardableResult func start(_ request: DaemonRequest) throws -> Int32 { try keeper.start(request) }
  func stop(_ name: String) throws { try keeper.stop(name) }
  func daemons() throws -> [DaemonReport] { try keeper.daemons() }
  func commands() throws -> [VisitingCommand] { try keeper.commands() }
  func strays() throws -> [StrayProcess] { try keeper.strays() }
  func watch() throws -> KeeperEvents { try keeper.watch() }
  func waitForEnd(of name: String, within limit: Duration) throws -> DaemonReport? {
    try keeper.waitForEnd(of: name, within: limit)
  }
  func end() throws { try keeper.end() }
}

/// What listens where a keeper should, and is none.
private struct Impostor {
  private let listener: Int32
  private let path: String

  init(at path: String) throws {
    self.path = path
    listener = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let bound = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0 && listen(listener, 8) == 0)
  }

  func accept() -> Int32 { Glibc.accept(listener, nil, nil) }

  /// Gives each of the next ones who come one of the answers.
  func answer(_ answers: [[UInt8]]) {
    Thread.detachNewThread {
      for answer in answers {
        let client = accept()
        var request = [UInt8](repeating: 0, count: 1024)
        _ = unsafe recv(client, &request, request.count, 0)
        _ = unsafe send(client, answer, answer.count, Int32(MSG_NOSIGNAL))
        Glibc.close(client)
      }
    }
  }

  func close() {
    Glibc.close(listener)
    _ = unsafe unlink(path)
  }
}

private func withKeeper(_ body: (KeptLab) async throws -> Void) async throws {
  let folder = try Files.makeTemporaryDirectory(in: "/tmp")
  defer { try? Files.remove(folder) }
  let lab = try KeptLab(in: folder)
  let outcome: Result<Void, any Error>
  do { outcome = .success(try await body(lab)) } catch { outcome = .failure(error) }
  try? lab.end()
  try outcome.get()
}

/// Waits until something is so, for ten seconds at most.
private func eventually(_ condition: () async -> Bool) async -> Bool {
  let limit = ContinuousClock.now + .seconds(10)
  while await !condition() {
    if .now > limit { return false }
    await Task.yield()
  }
  return true
}
