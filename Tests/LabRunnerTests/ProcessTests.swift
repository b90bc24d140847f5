import Glibc
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

/// The product that offers the hidden command: a test bundle does not.
let netlab = ProcessRunner()

/// Where SwiftPM put this test bundle, and netlab beside it.
let buildDirectory = directory(of: resolvingLinks("/proc/self/exe"))

@Suite struct ProcessTests {
  /// Without a limit, lines are read as they come, and nothing is kept.
  @Test(arguments: [1 << 20, nil]) func streamedOutput(limit: Int?) async throws {
    let (count, result) = try await netlab.withProcess(["seq", "1", "50000"], outputLimit: limit) { process in
      var count = 0
      for await line in process.standardOutput.lines where line == "\(count + 1)" { count += 1 }
      return count
    }
    #expect(count == 50000)
    #expect(result.standardOutput.isEmpty == (limit == nil))
  }

  @Test func statusAndOutput() async throws {
    let result = try await netlab.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    #expect(result.status == .exited(3))
    #expect(result.output == "out\n")
    #expect(result.errorOutput == "err\n")
    #expect(result.duration > .zero)
  }

  @Test func signal() async throws {
    let result = try await netlab.run(["sh", "-c", "kill -TERM $$"])
    #expect(result.status == .signalled(SIGTERM))
  }

  /// The end of its output is not the end of a process.
  @Test func closesItsOutputBeforeItEnds() async throws {
    let script = "exec >&- 2>&-; head -c 50000000 /dev/zero | sha256sum >/dev/null; exit 4"
    let result = try await netlab.run(["sh", "-c", script])
    #expect(result.status == .exited(4))
  }

  @Test func environmentIsReplaced() async throws {
    let result = try await netlab.run(["/usr/bin/env"], environment: ["ONLY": "this"])
    #expect(result.output == "ONLY=this\n")
  }

  @Test func missingCommand() async throws {
    let result = try await netlab.run(["no-such-command"], environment: ["PATH": "/usr/bin:/bin"])
    #expect(result.status == .exited(127))
    #expect(result.errorOutput == "netlab: cannot run no-such-command: No such file or directory\n")
  }

  @Test func missingHelper() async throws {
    await #expect(throws: ProcessError.self) {
      try await ProcessRunner(helper: "/no/netlab-exec").run(["true"])
    }
  }

  @Test func missingNamespace() async throws {
    let result = try await netlab.run(["true"], in: "/run/netns/no-such-lab.vm")
    #expect(result.status == .exited(126))
    #expect(
      result.errorOutput
        == "netlab: cannot open the network namespace /run/netns/no-such-lab.vm: No such file or directory\n")
  }

  @Test func outputLimit() async throws {
    let error = await #expect(throws: ProcessError.self) {
      try await netlab.run(["yes"], outputLimit: 100_000)
    }
    #expect(error?.description == "`yes` wrote more than 100000 bytes and was killed")
  }

  /// A grandchild that keeps the pipes open, and a command that ignores SIGTERM.
  @Test func timeoutKillsTheTree() async throws {
    let lifeLine = try await LifeLine()
    let error = await #expect(throws: ProcessError.self) {
      try await netlab.run(
        ["sh", "-c", lifeLine.shell + "trap '' TERM; sleep 1000 & echo started; wait; wait"],
        timeout: .milliseconds(300))
    }
    guard case .timedOut(_, _, let result)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(result.output == "started\n")
    #expect(result.status == .signalled(SIGKILL))
    #expect(try await lifeLine.hasEnded())
  }

  @Test func cancellationKills() async throws {
    let lifeLine = try await LifeLine()
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await netlab.withProcess(["sh", "-c", lifeLine.shell + "echo started; sleep 1000"]) { process in
        for await _ in process.standardOutput.lines { start.yield() }
      }
    }
    for await _ in started { break }
    #expect(try await lifeLine.isHeld())
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await lifeLine.hasEnded())
  }

  @Test func backgroundProcessesEndWithTheCommand() async throws {
    let lifeLine = try await LifeLine()
    let result = try await netlab.run(["sh", "-c", lifeLine.shell + "sleep 1000 & echo started"])
    #expect(result.output == "started\n")
    #expect(try await lifeLine.hasEnded())
  }

  @Test func linesComeWhileItRuns() async throws {
    let (lines, result) = try await netlab.withProcess(
      ["sh", "-c", "trap 'echo stopped; exit 5' INT; sleep 1000 & echo ready >&2; wait"]
    ) { process in
      var lines: [String] = []
      for await line in process.standardError.lines {
        lines.append(line)
        process.interrupt()
      }
      await process.exit()
      return lines
    }
    #expect(lines == ["ready"])
    #expect(result.status == .exited(5))
    #expect(result.output == "stopped\n")
  }

  @Test func bodyErrorsEndTheProcess() async throws {
    struct Failure: Error {}
    let start = ContinuousClock.now
    await #expect(throws: Failure.self) {
      try await netlab.withProcess(["sleep", "1000"]) { _ in throw Failure() }
    }
    // It did not wait for the command's own end.
    #expect(ContinuousClock.now - start < .seconds(900))
  }

  @Test func unfinishedLineIsALine() async throws {
    let (lines, _) = try await netlab.withProcess(["printf", "one\\ntwo"]) { process in
      await process.standardOutput.lines.reduce(into: [String]()) { $0.append($1) }
    }
    #expect(lines == ["one", "two"])
  }
}

/// What needs root: namespaces that each test makes for itself.
@Suite struct NamespaceProcessTests {
  @Test func entersTheNamespace() async throws {
    try await withNamespace { path in
      let links = try await netlab.run(["ip", "-o", "link"], in: path)
      #expect(links.status == .exited(0), "\(links.errorOutput)")
      #expect(links.output.split(separator: "\n").count == 1)
      #expect(links.output.contains(" lo: "))
      let sys = try await netlab.run(["ls", "/sys/class/net"], in: path)
      #expect(sys.output == "lo\n", "\(sys.errorOutput)")
    }
  }

  @Test func bindsFilesOfEtcNetns() async throws {
    try await withNamespace { path in
      let directory = "/etc/netns/" + path.split(separator: "/").last!
      _ = try await netlab.run(["sh", "-c", "mkdir -p \(directory); echo 10.0.0.1 vm >\(directory)/hosts"])
      let inside = try await netlab.run(["cat", "/etc/hosts"], in: path)
      let outside = try await netlab.run(["cat", "/etc/hosts"])
      _ = try await netlab.run(["rm", "-r", directory])
      #expect(inside.output == "10.0.0.1 vm\n", "\(inside.errorOutput)")
      #expect(outside.output != inside.output)
    }
  }

  @Test func statusPassesThroughTheContainer() async throws {
    try await withNamespace { path in
      let cases: [(String, ProcessResult.Status)] = [
        ("exit 9", .exited(9)), ("kill -KILL $$", .signalled(SIGKILL)),
        ("exec no-such-command", .exited(127)),
      ]
      for (script, status) in cases {
        let result = try await netlab.run(["sh", "-c", script], in: path)
        #expect(result.status == status, "\(script)")
      }
    }
  }

  /// A descendant with a session of its own, which no signal to a process group reaches.
  @Test func nothingEscapesTheContainer() async throws {
    let lifeLine = try await LifeLine()
    try await withNamespace { path in
      let script = lifeLine.shell + "setsid -f sleep 1000 >/dev/null 2>&1; echo started"
      let result = try await netlab.run(["sh", "-c", script], in: path)
      #expect(result.output == "started\n", "\(result.errorOutput)")
      // Not only soon, but at the return of `run`.
      let held = try await lifeLine.isHeld()
      #expect(!held)
    }
    #expect(try await lifeLine.hasEnded())
  }

  @Test func capturesWithTcpdump() async throws {
    try await withNamespace { path in
      _ = try await netlab.run(["ip", "link", "set", "lo", "up"], in: path)
      let (_, capture) = try await netlab.withProcess(
        ["tcpdump", "--immediate-mode", "-U", "-Z", "root", "-n", "-l", "-i", "lo", "icmp"], in: path
      ) { process in
        for await line in process.standardError.lines where line.contains("listening on") { break }
        let ping = try await netlab.run(["ping", "-c", "1", "-W", "2", "127.0.0.1"], in: path)
        #expect(ping.status == .exited(0), "\(ping.output)\(ping.errorOutput)")
        for await line in process.standardOutput.lines where line.contains("echo reply") { break }
        process.interrupt()
        await process.exit()
      }
      #expect(capture.status == .exited(0), "\(capture.errorOutput)")
      #expect(capture.output.split(separator: "\n").count == 2, "\(capture.output)\(capture.errorOutput)")
    }
  }

  /// A parent that is killed takes the command, and a descendant with a session of its own, with it.
  @Test func nothingSurvivesTheParent() async throws {
    let lifeLine = try await LifeLine()
    try await withNamespace { path in
      let command = lifeLine.shell + "setsid -f sleep 1000; echo started; sleep 1000"
      // The shell is the parent that netlab-exec watches.
      let script = "echo $$; \"$0\" --parent $$ --netns \"$1\" --contain -- sh -c \"$2\" & wait"
      _ = try await netlab.withProcess(["sh", "-c", script, buildDirectory + "/netlab-exec", path, command]) {
        process in
        var shell: Int32?
        for await line in process.standardOutput.lines {
          if line == "started" { break }
          shell = Int32(line)
        }
        let held = try await lifeLine.isHeld()
        #expect(held)
        let parent = try #require(shell)
        #expect(kill(parent, SIGKILL) == 0)
        let ended = try await lifeLine.hasEnded()
        #expect(ended)
      }
    }
  }

  /// The same with this program as the parent, whose commands are started by a thread of swift-subprocess.
  @Test func nothingSurvivesTheProgram() async throws {
    let lifeLine = try await LifeLine()
    try await withNamespace { path in
      let script = lifeLine.shell + "setsid -f sleep 1000; echo started; sleep 1000"
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, script = script as String] in
        _ = try await netlab.withProcess(["sh", "-c", script], in: path) { process in
          for await _ in process.standardOutput.lines { break }
          kill(getpid(), SIGKILL)
        }
      }
      let ended = try await lifeLine.hasEnded()
      #expect(ended)
    }
  }
}

/// Runs `body` with the path of a new network namespace.
func withNamespace(_ body: (String) async throws -> Void) async throws {
  let name = "netlab-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  let added = try await netlab.run(["ip", "netns", "add", name])
  try #require(added.status.isSuccess, "this test needs root: \(added.errorOutput)")
  let outcome: Result<Void, any Error>
  do { outcome = .success(try await body("/run/netns/\(name)")) } catch { outcome = .failure(error) }
  let deleted = try await netlab.run(["ip", "netns", "del", name])
  #expect(deleted.status.isSuccess, "\(deleted.errorOutput)")
  try outcome.get()
}

/// A lock that a command and all its descendants hold, by a descriptor that they inherit: it is free when the
/// last of them has ended.
struct LifeLine {
  private let path: String

  init() async throws {
    path = try await netlab.run(["mktemp"]).output.split(separator: "\n").joined()
  }

  /// What a shell has to do first to take it.
  var shell: String { "exec 9>\(path); flock 9; " }

  /// Lets every user take it.
  func allowAll() async throws { _ = try await netlab.run(["chmod", "666", path]) }

  /// Whether it is held now.
  func isHeld() async throws -> Bool {
    try await netlab.run(["flock", "-n", path, "true"]).status == .exited(1)
  }

  /// Waits for its end, for five seconds at most; for once.
  func hasEnded() async throws -> Bool {
    try await netlab.run(["sh", "-c", "flock -w 5 \(path) rm \(path)"]).status.isSuccess
  }
}
