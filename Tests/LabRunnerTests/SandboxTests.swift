import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
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

/// On the host only: there is no User-Mode-Linux kernel inside of another.
@Suite(.enabled(if: Sandbox.current == nil), .timeLimit(.minutes(2)))
struct SandboxTests {
  @Test(
    arguments: [
      (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -SEGV $$"], 139),
      (["no-such-program"], 127),
      (["/etc/passwd"], 126),
    ] as [([String], Int32)])
  func `The exit status is the command's`(command: [String], expected: Int32) async throws {
    let run = try await netlab(["sandbox", "--"] + command)
    #expect(run.status == .exited(expected))
  }

  @Test func `Streams are separate and binary clean`() async throws {
    let bytes = (0..<1_000_000).map { _ in UInt8.random(in: 0...255) }
    // Opening /dev/stderr anew must not cut short what is there already.
    let script =
      "tee .build/sandbox-$$ >&2 && cat .build/sandbox-$$ && rm .build/sandbox-$$ && echo end >/dev/stderr"
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try Data(bytes).write(to: URL(filePath: "\(folder.path)/input"))
    let run = try await shell("\(program("netlab")) sandbox -- sh -c '\(script)' <\(folder.path)/input")
    #expect(run.status == .exited(0))
    // Not compared inside the expectation, which would look for the differences of a million bytes for hours.
    let (isOutputClean, isErrorClean) = (run.output == bytes, run.error == bytes + Array("end\n".utf8))
    #expect(isOutputClean, "\(run.output.count) bytes of output")
    #expect(isErrorClean, "\(run.error.count) bytes of errors")
  }

  @Test func `A file as standard input can be sought in`() async throws {
    let run = try await shell("head -c 4 >/dev/null; \(program("netlab")) sandbox -- tail -c 3 </etc/passwd")
    let expected = Array(try Data(contentsOf: URL(filePath: "/etc/passwd")).suffix(3))
    #expect(run.output == expected)
  }

  @Test func `Output arrives while the command runs`() async throws {
    // The command ends only after its first line was read, and answered, outside.
    let run = try await shell(
      """
      folder=$(mktemp -d); mkfifo $folder/in; exec 3<>$folder/in
      \(program("netlab")) sandbox -- sh -c 'echo question; read answer; echo "got $answer"' <&3 |
        while read line; do echo "$line"; [ "$line" != question ] || echo answer >&3; done
      rm -r $folder
      """)
    #expect(run.text == "question\ngot answer\n")
  }

  @Test func `Only the working folder and writable folders are real`() async throws {
    let working = try TemporaryFolder()
    let extra = try TemporaryFolder()
    defer { for folder in [working, extra] { folder.remove() } }
    let script = """
      umask; echo "$VALUE"; pwd; [ "$NETLAB_SANDBOX" = "$(uname -r)" ] && echo inside
      touch kept \(extra.path)/kept /etc/netlab-test /var/netlab-test /tmp/netlab-test && ls /etc/netlab-test
      """
    let run = try await shell(
      "cd \(working.path) && umask 0027 && VALUE='a  b' \(program("netlab")) sandbox --writable \(extra.path) "
        + "-- sh -c '\(script)'")
    #expect(run.text == "0027\na  b\n\(working.path)\ninside\n/etc/netlab-test\n")
    #expect(working.contents == ["kept"])
    #expect(extra.contents == ["kept"])
    for folder in ["/etc", "/var", "/tmp"] { #expect(!fileExists("\(folder)/netlab-test")) }
  }

  @Test func `The sandbox has the devices that labs and tests use`() async throws {
    let script = """
      set -e
      ip link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0
      ip link add veth0 type veth peer name veth1
      ip link set veth0 master br0 up
      bridge vlan add dev veth0 vid 5 pvid untagged
      bridge vlan show dev veth0 | grep -o 'veth0.*'
      ip link add dummy0 type dummy
      ip link add link dummy0 name dummy0.7 type vlan id 7
      ip -d link show dummy0.7 | grep -o 'id 7'
      tc qdisc add dev dummy0 root netem delay 3ms
      tc qdisc show dev dummy0 | grep -o netem
      ip netns add other; ip netns exec other cat /proc/sys/net/ipv6/conf/all/disable_ipv6
      ping -c 1 -q 127.0.0.1 | grep -o '1 received'
      """
    let run = try await netlab(["sandbox", "--", "sh", "-c", script])
    let words = run.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words == "veth0 5 PVID Egress Untagged id 7 netem 0 1 received", "\(run.errorText)")
  }

  @Test func `A time limit ends the command with 124`() async throws {
    let run = try await netlab([
      "sandbox", "--time-limit", "2.5", "--", "sh", "-c", "echo before; exec sleep 1000",
    ])
    #expect(run.status == .exited(124))
    #expect(run.errorText == "netlab: the command was still running after 2.5 s, and was ended\n")
  }

  @Test func `A panic ends the sandbox with 125 and the kernel's words`() async throws {
    let run = try await netlab(["sandbox", "--", "sh", "-c", "echo c > /proc/sysrq-trigger"])
    #expect(run.status == .exited(125))
    #expect(run.errorText.contains("Kernel panic - not syncing: sysrq triggered crash"))
  }

  @Test(arguments: [("INT", 130), ("TERM", 143), ("HUP", 129), ("KILL", 137)] as [(String, Int32)])
  func `Nothing is left when a signal ends it`(signal: String, expected: Int32) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    // The shell waits for the command's first line, and proves that the kernel runs, before it sends the signal.
    let run = try await shell(
      """
      export TMPDIR=\(folder.path)
      mkfifo $TMPDIR/out
      \(program("netlab")) sandbox -- sh -c 'echo started; exec sleep 1000' >$TMPDIR/out & netlab=$!
      read line <$TMPDIR/out; echo $line
      grep -lF "$TMPDIR/netlab-sandbox" /proc/[0-9]*/cmdline 2>/dev/null | grep -q . && echo running
      kill -\(signal) $netlab; wait $netlab; echo $?
      """)
    #expect(run.text == "started\nrunning\n\(expected)\n")
    // After SIGKILL the keeper cleans up by itself, a moment later.
    #expect(await isTrueSoon { folder.contents == ["out"] && processes(mentioning: folder.path).isEmpty })
  }

  @Test func `Cancelling the task leaves nothing`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let task = Task {
      try await Sandbox().run(["sh", "-c", "touch running; exec sleep 1000"], workingFolder: folder.path)
    }
    #expect(await isTrueSoon { folder.contents == ["running"] })
    #expect(!processes(mentioning: "linux.uml").isEmpty)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test(.enabled(if: getuid() == 0, "only root can become somebody else"))
  func `It needs no privileges`() async throws {
    // The build may lie where nobody else can look, so a copy is run, with what it is linked to.
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let run = try await shell(
      """
      cd \(folder.path) && cp \(program("netlab")) . && chown -R 65534:65534 . && export TMPDIR=\(folder.path)
      setpriv --reuid 65534 --regid 65534 --clear-groups ./netlab sandbox -- sh -c '
        id -u; ip link add br0 type bridge vlan_filtering 1 && echo bridge
        touch mine; cat /etc/shadow >/dev/null 2>&1 || echo private'
      """)
    #expect(run.text == "0\nbridge\nprivate\n", "\(run.errorText)")
    #expect(folder.contents == ["mine", "netlab"])
  }

  @Test func `A terminal is passed on, and restored`() async throws {
    let inside = "stty size; tty; read word; echo \\\"<\\$word>\\\"; exit 3"
    let run = try await shell(
      """
      echo hello | script --quiet --return --command "stty rows 33 cols 77; stty -g; \
      \(program("netlab")) sandbox -- sh -c '\(inside)'; status=\\$?; stty -g; exit \\$status" /dev/null
      """)
    #expect(run.status == .exited(3))
    let lines = run.text.split(whereSeparator: \.isNewline).map(String.init)
    #expect(
      lines.contains("33 77") && lines.contains("/dev/tty1") && lines.contains("<hello>"), "\(run.text)")
    let settings = lines.filter { $0.split(separator: ":").count > 10 }
    #expect(settings.count == 2 && settings.first == settings.last)
  }

  @Test(
    arguments: [
      (["--memory", "lots"], 2, "\"lots\" is not an amount of memory"),
      (["--writable", "/no/such"], 2, "there is no folder /no/such"),
      (["--time-limit", "0"], 2, "--time-limit has to be above 0"),
    ] as [([String], Int32, String)])
  func `Wrong options are explained`(options: [String], status: Int32, message: String) async throws {
    let run = try await netlab(["sandbox"] + options + ["--", "true"])
    #expect(run.status == .exited(status))
    #expect(run.errorText.contains(message))
  }
}

private struct Run {
  let status: TerminationStatus
  let output: [UInt8]
  let error: [UInt8]
  var text: String { String(decoding: output, as: UTF8.self) }
  var errorText: String { String(decoding: error, as: UTF8.self) }
}

/// The path of a program that was built together with this test bundle.
private func program(_ name: String) -> String {
  let bundle = FilePath((try? ownProgram()) ?? "")
  return bundle.removingLastComponent().appending(name).string
}

private func netlab(_ arguments: [String], input: [UInt8] = []) async throws -> Run {
  let result = try await Subprocess.run(
    .path(FilePath(program("netlab"))), arguments: Arguments(arguments), input: .array(input),
    output: .bytes(limit: 1 << 22), error: .bytes(limit: 1 << 22))
  return Run(status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
}

private func shell(_ script: String) async throws -> Run {
  let result = try await Subprocess.run(
    .path("/bin/bash"), arguments: ["-c", script], input: .none, output: .bytes(limit: 1 << 20),
    error: .bytes(limit: 1 << 20))
  return Run(status: result.terminationStatus, output: result.standardOutput, error: result.standardError)
}

private struct TemporaryFolder {
  let path: String

  init() throws { path = try makeTemporaryFolder(in: "/var/tmp") }

  var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// The processes whose command line contains a text. One that is dead and not yet waited for has none.
private func processes(mentioning text: String) -> [String] {
  let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return all.filter { name in
    guard Int(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
      return false
    }
    return String(decoding: line, as: UTF8.self).contains(text)
  }
}

/// Asks again, for at most a minute, until it is true.
private func isTrueSoon(_ condition: () -> Bool) async -> Bool {
  let limit = ContinuousClock.now + .seconds(60)
  while !condition() {
    guard .now < limit else { return false }
    try? await Task.sleep(for: .milliseconds(20))
  }
  return true
}
