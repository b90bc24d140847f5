import Foundation
import LabKit
import TestSupport
import Testing
import Values

@testable import LabCapture
@testable import LabChecks
@testable import LabGraph
@testable import LabInspect
@testable import LabKernel
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// Several netlabs at once, and machines that lack something.
@Suite(.needs(.namespaces, .veth, .bridge), .serialized, .timeLimit(.minutes(5)))
struct ConcurrencyTests {
  private let netlab = builtProgram("netlab")

  @Test func `Two ups and two downs of one lab at once`() throws {
    let document = try ShippedLab.twoVMs().document()
    let (file, before) = (try DocumentFile(document), try Snapshot(of: document.name))
    let up = try runProgram([
      "bash", "-c", "\(netlab) up \(file.path) & \(netlab) up \(file.path) && wait $!",
    ])
    #expect(up.status == 0, "\(up.errors)")
    #expect(try Lifecycle().isGood(document.name))
    // The second finds nothing to do, or the lab gone.
    let down = try runProgram([
      "bash", "-c", "\(netlab) down \(document.name) & \(netlab) down \(document.name); wait",
    ])
    #expect(!down.errors.contains("cannot"), "\(down.errors)")
    #expect(try Snapshot(of: document.name) == before)
  }

  @Test func `Many labs up and down at once`() throws {
    let count = Sandbox.current == nil || isTorture ? 50 : 6
    let documents = try (0..<count).map { _ in try ShippedLab.twoVMs().document() }
    let files = try documents.map(DocumentFile.init)
    let up = try runProgram(
      [
        "bash", "-c", "for f; do \(netlab) up $f & p+=\" $!\"; done; for i in $p; do wait $i || exit 9; done",
        "-",
      ]
        + files.map(\.path))
    #expect(up.status == 0, "\(up.errors)")
    for document in documents { #expect(try Lifecycle().isGood(document.name)) }
    let down = try runProgram(
      [
        "bash", "-c",
        "for l; do \(netlab) down $l & p+=\" $!\"; done; for i in $p; do wait $i || exit 9; done", "-",
      ]
        + documents.map(\.name))
    #expect(down.status == 0, "\(down.errors)")
    tally("labs up and down at once", count)
    for document in documents { #expect(try Snapshot(of: document.name).namespaces == []) }
  }

  /// The script runs with its own /run; `$UP` brings the lab up.
  static let surroundings: [(name: String, script: String, status: Int32, words: String)] = [
    ("no /run/netns", "$UP && ip netns | grep -q focal-1 && $NETLAB down $LAB", 0, "is down"),
    ("a read-only /run", "mount -o remount,ro /run; $UP", 3, "Read-only file system"),
    ("a full disk", "dd if=/dev/zero of=/run/fill bs=4k 2>/dev/null; $UP", 3, "No space left on device"),
    ("no permission", "exec setpriv --bounding-set=-all --inh-caps=-all $UP", 3, "Operation not permitted"),
    (
      "a stale lock",
      "mkdir -p -m 700 /run/netlab/$LAB; touch /run/netlab/$LAB/lock; $UP && $NETLAB down $LAB", 0, "is down"
    ),
    ("a state that is a link", "mkdir /mnt/x; ln -s /mnt/x /run/netlab; $UP", 3, "Not a directory"),
    ("a stack of 1 MB", "ulimit -s 1024; $UP && $NETLAB down $LAB", 0, "is down"),
    ("no programs", "PATH=/mnt $UP && PATH=/mnt $NETLAB down $LAB", 0, "is down"),
    ("64 open files", "ulimit -n 64; $UP && $NETLAB down $LAB", 0, "is down"),
    (
      "24 open files and no more",
      "ulimit -n 24; exec setpriv --bounding-set=-sys_resource --inh-caps=-all $UP", 3,
      "ulimit -n"
    ),
  ]

  @Test(arguments: surroundings.indices)
  func `A machine that lacks something gets one message, and keeps nothing`(index: Int) throws {
    let document = try ShippedLab.twoVMs().document()
    let file = try DocumentFile(document)
    let (name, script, status, words) = Self.surroundings[index]
    let run = try runProgram([
      "unshare", "--mount", "bash", "-c",
      """
      mount -t tmpfs -o size=64k none /run; cp \(file.path) /run/lab.json; mount -t tmpfs none /mnt
      cp /run/lab.json /mnt/; NETLAB=\(netlab); LAB=\(document.name); UP="$NETLAB up /mnt/lab.json"
      (\(script)); status=$?
      find /run/netns /run/netlab -mindepth 1 2>/dev/null; exit $status
      """,
    ])
    #expect(run.status == status, "\(name): \(run.output)\(run.errors)")
    #expect("\(run.output)\(run.errors)".contains(words), "\(name): \(run.output)\(run.errors)")
    #expect(!run.output.contains("/run/"), "\(name): \(run.output)")
    #expect(
      run.errors.split(separator: "\n").count { $0.hasPrefix("netlab:") } == (status == 0 ? 0 : 1),
      "\(run.errors)")
  }

  @Test func `More VMs than a bridge has ports`() throws {
    var document = try ShippedLab(lab: "Crowd", datapath: .linuxbridge).document()
    for number in 10..<1110 {
      document.addVM("vm-\(number)")
    }
    let file = try DocumentFile(document)
    let run = try runProgram([netlab, "up", file.path])
    #expect(run.status == 2)
    #expect(run.errors.contains("1023") && run.errors.contains("several hosts"))
    #expect(try Snapshot(of: document.name).files == [])
  }

  /// Each is refused with exit code 2, in a moment, and shows no escape to the terminal.
  @Test(arguments: 0..<6) func `A hostile document is refused`(kind: Int) throws {
    let document = try ShippedLab.twoVMs().document()
    func renamed(_ name: String) -> String {
      document.json.replacing("\"focal-1\"", with: "\"\(name)\"")
    }
    let text =
      switch kind {
      case 0: String(repeating: "[", count: 1_000_000)
      case 1: "{\"format\":1,\"name\":" + String(repeating: "{\"a\":", count: 100_000)
      case 2: renamed("../../etc/passwd")
      case 3: renamed("\\u001b[31mred")
      case 4: document.json.replacing(document.name, with: "..")
      default: renamed(String(repeating: "x", count: 3_000_000))
      }
    let path = "\(FileManager.default.temporaryDirectory.path)/netlab-\(UUID().uuidString).json"
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = try runProgram(["bash", "-c", "ulimit -s 1024; exec \(netlab) up \(path)"])
    #expect(run.status == 2, "\(run.errors.prefix(300))")
    #expect(!run.errors.contains("\u{1b}"))
    #expect(run.errors.utf8.count < 20_000)
  }
}
