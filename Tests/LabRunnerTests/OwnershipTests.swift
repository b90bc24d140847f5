import Foundation
import LabKit
import Netlink
import Synchronization
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

/// What netlab did not make stays, however much it looks like netlab's.
@Suite(.needs(.namespaces, .veth, .bridge), .timeLimit(.minutes(5)))
struct OwnershipTests {
  private func bash(_ script: String) throws {
    let run = try runProgram(["bash", "-ec", script])
    try #require(run.status == 0, "\(script): \(run.errors)")
  }

  private func exists(_ script: String) throws -> Bool { try runProgram(["bash", "-c", script]).status == 0 }

  @Test func `A namespace of the lab's name, made by hand`() throws {
    let document = try ShippedLab.twoVMs().document()
    let name = "\(document.name).focal-1"
    try bash("ip netns add \(name); ip -n \(name) link add mine type bridge")
    defer { try? bash("ip netns delete \(name)") }
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    #expect(error?.message.contains(name) == true)
    #expect(try exists("ip -n \(name) link show mine"))
    #expect(try Snapshot(of: document.name).namespaces == [name])
    #expect(try Snapshot(of: document.name).files == [])
  }

  @Test func `An empty file, as a crash leaves it, is no namespace; one with something in it is somebody's`()
    throws
  {
    let document = try ShippedLab.twoVMs().document()
    let path = "/run/netns/\(document.name).focal-1"
    try NetworkNamespace.prepareDirectory()
    try bash(": > \(path)")
    _ = try Lifecycle().up(document, labFile: "test")
    #expect(try Lifecycle().status(document.name).changes == [])
    try Lifecycle().down(document.name)
    #expect(try !exists("test -e \(path)"))

    try bash("echo mine > \(path)")
    defer { try? bash("rm \(path)") }
    let error = #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    #expect(error?.message.contains(path.split(separator: "/").last ?? "") == true)
    #expect(try exists("grep -qx mine \(path)"))
    #expect(try Snapshot(of: document.name).files == [])
  }

  @Test func `A namespace put in the place of a running lab's`() throws {
    let document = try ShippedLab.twoVMs().document()
    let name = "\(document.name).focal-1"
    _ = try Lifecycle().up(document, labFile: "test")
    try bash(
      "ip netns delete \(name); ip netns add \(name); ip -n \(name) link set lo alias netlab/\(document.name)/x"
    )
    defer { try? bash("ip netns delete \(name)") }
    #expect(try Lifecycle().status(document.name).foreign == [name])
    #expect(throws: RunnerError.self) { try Lifecycle().up(document, labFile: "test") }
    #expect(try Lifecycle().down(document.name) == [name])
    #expect(try Snapshot(of: document.name).namespaces == [name])
  }

  @Test func `Neutron's names and forged aliases in a foreign namespace`() throws {
    let document = try ShippedLab.twoVMs().document()
    let name = "mine-\(document.name)"
    try bash(
      """
      ip netns add \(name); N="ip -n \(name)"
      $N link add tapde4f2069-52 type veth peer name qvode4f2069-52; $N link add br-int type bridge
      for D in tapde4f2069-52 qvode4f2069-52 br-int lo; do $N link set $D alias netlab/\(document.name)/tap-focal-1; done
      """)
    defer { try? bash("ip netns delete \(name)") }
    _ = try Lifecycle().up(document, labFile: "test")
    try Lifecycle().down(document.name)
    #expect(try Lifecycle().leftovers().allSatisfy { $0.lab != document.name })
    #expect(try exists("ip -n \(name) link show tapde4f2069-52 && ip -n \(name) link show br-int"))
  }

  @Test func `A device on a lab's bridge is reported, kept, and lost only after a warning`() throws {
    let document = try ShippedLab.twoVMs().document()
    let host = "\(document.name).compute-1"
    var lifecycle = Lifecycle()
    _ = try lifecycle.up(document, labFile: "test")
    let bridge = try document.resolved().blueprint().links.first { $0.name.hasPrefix("brq") }?.name ?? ""
    try bash(
      """
      ip -n \(host) link add mine type veth peer name mine2; ip -n \(host) link set mine master \(bridge) up
      ip -n \(host) link set mine alias netlab/\(document.name)/tap-focal-1
      """)
    #expect(try lifecycle.status(document.name).unmanaged.map(\.name).sorted() == ["mine", "mine2"])
    let report = try lifecycle.up(document, labFile: "test")
    #expect(report.changes.isEmpty && report.unmanaged.count == 2)
    #expect(try exists("ip -n \(host) link show mine | grep -q 'master \(bridge)'"))
    let warnings = Warnings()
    lifecycle.warning = { warning in warnings.texts.withLock { $0.append(warning) } }
    try lifecycle.down(document.name)
    #expect(warnings.texts.withLock { $0.count { $0.contains("mine") } } == 2)
  }

  private final class Warnings: Sendable { let texts = Mutex<[String]>([]) }

  @Test func `A device in the place of one of the lab's is not removed for it`() throws {
    let document = try ShippedLab.twoVMs().document()
    let (host, lifecycle) = ("\(document.name).compute-1", Lifecycle())
    _ = try lifecycle.up(document, labFile: "test")
    try bash("ip -n \(host) link delete tapde4f2069-52; ip -n \(host) link add tapde4f2069-52 type bridge")
    let error = #expect(throws: RunnerError.self) { try lifecycle.up(document, labFile: "test") }
    #expect(error?.message.contains("tapde4f2069-52") == true)
    #expect(try exists("ip -n \(host) -d link show tapde4f2069-52 | grep -q bridge"))
    try lifecycle.down(document.name)
  }

  @Test func `A file in the state directory, and who may read it`() throws {
    let document = try ShippedLab.twoVMs().document()
    let directory = "/run/netlab/\(document.name)"
    _ = try Lifecycle().up(document, labFile: "test")
    let state = try #require(Files.identity(of: "\(directory)/state.json"))
    #expect(state.mode & 0o777 == 0o600)
    #expect(Files.identity(of: directory).map { $0.mode & 0o777 } == 0o700)
    try bash("echo mine > \(directory)/notes")
    try Lifecycle().down(document.name)
    #expect(try Files.list(directory) == ["notes"])
    try bash("rm -r \(directory)")
  }

  @Test func `A state that netlab did not write is refused`() throws {
    let document = try ShippedLab.twoVMs().document()
    let good = LabState(
      phase: .up, document: document, labFile: "test", token: Mark.newToken(),
      namespaces: ["\(document.name).a"])
    #expect(try LabState(json: good.json()).namespaces == good.namespaces)
    let names = [
      "x", "../../etc", "\(document.name).", "\(document.name)../x", "\(document.name).a/b", "other.a", "",
    ]
    for name in names {
      var state = good
      state.namespaces = [name]
      #expect(throws: RunnerError.self, "\(name)") { try LabState(json: state.json()) }
    }
    var state = good
    state.token = "1"
    #expect(throws: RunnerError.self) { try LabState(json: state.json()) }
    for name in ["../x", "", "a/b", "\u{1b}[31m"] { #expect(try Lifecycle().store.state(of: name) == nil) }
  }

  @Test func `Links instead of directories are not followed`() throws {
    let folder = try Files.makeTemporaryDirectory(in: "/tmp")
    defer { try? Files.remove(folder) }
    try bash(
      "mkdir \(folder)/real; ln -s real \(folder)/link; echo x > \(folder)/file; chmod 755 \(folder)/real")
    #expect(throws: FileError.self) { try Files.makePrivateDirectory("\(folder)/link") }
    #expect(throws: FileError.self) { try Files.makePrivateDirectory("\(folder)/file") }
    try Files.makePrivateDirectory("\(folder)/real")
    #expect(Files.identity(of: "\(folder)/real").map { $0.mode & 0o777 } == 0o700)
  }

  @Test func `Clean removes what carries the mark of a lab that is not there`() throws {
    let document = try ShippedLab.twoVMs().document()
    let lifecycle = Lifecycle()
    _ = try lifecycle.up(document, labFile: "test")
    #expect(try lifecycle.leftovers().allSatisfy { $0.lab != document.name })
    #expect(try lifecycle.leftovers(includingRunning: true).contains { $0.lab == document.name })
    try Files.remove("/run/netlab/\(document.name)")
    // Nobody knows it any more, so it is in its own way.
    #expect(throws: RunnerError.self) { try lifecycle.up(document, labFile: "test") }
    let leftovers = try lifecycle.leftovers().filter { $0.lab == document.name }
    #expect(leftovers.count == 3)
    for leftover in leftovers { try lifecycle.clean(leftover) }
    #expect(try Snapshot(of: document.name).namespaces == [])
    #expect(try Snapshot(of: document.name).files == [])
  }

  @Test func `Tokens are different and long`() {
    let tokens = Set((0..<1000).map { _ in Mark.newToken() })
    #expect(tokens.count == 1000 && tokens.allSatisfy(Mark.isToken))
  }
}
