import Foundation
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
@testable import LabKit
@testable import LabLifecycle
@testable import LabLoading
@testable import LabMachine
@testable import LabModel
@testable import LabMutation
@testable import LabProcesses
@testable import LabSandbox
@testable import LabTrace

/// A lab that is up can be used at once.
@Suite(.needs(.namespaces, .veth, .bridge), .timeLimit(.minutes(5)))
struct ReadinessTests {
  /// The kernel joins the group in work of its own, which needs its one network lock: so somebody else has it, nearly all
  /// of the time.
  @Test func `Each IPv6 address is listened for, however busy the kernel is`() throws {
    let busy = try Busy()
    defer { busy.end() }
    var document = try LabDocument(of: FourVMs(), settings: [])
    document.datapath = .linuxbridge
    for round in 0..<20 {
      document.name = "ready-\(getpid())-\(round)"
      _ = try Lifecycle().up(document, labFile: "test")
      for (vm, last) in [("a", UInt8(1)), ("b", 2), ("c", 3)] {
        let connection = try Connection(
          in: NetworkNamespace.open(path: "/run/netns/\(document.name).\(vm)"))
        let address = IPAddress(family: .ipv6, value: 0xfd77 << 112 | UInt128(last))
        let groups = try connection.multicastGroups()
        let eth0 = try #require(try connection.links().first { $0.name == "eth0" })
        #expect(groups.contains(MulticastGroup(soliciting: address, onLink: eth0.index)), "\(vm): \(groups)")
        // It would say so if there were none.
        #expect(!groups.contains(MulticastGroup(soliciting: IPAddress("::9:9")!, onLink: eth0.index)))
      }
      try Lifecycle().down(document.name)
    }
  }
}

/// Keeps the kernel's network lock busy, on a thread of its own, by making and deleting bridges.
private final class Busy: Sendable {
  private let isDone = Mutex(false)
  private let hasEnded = DispatchSemaphore(value: 0)

  init() throws {
    let connection = Mutex(try Connection(in: NetworkNamespace.create()))
    Thread.detachNewThread { [self] in
      var batch = Batch()
      for index: Int32 in 100..<150 {
        batch.createLink(NewLink(.bridge(Netlink.BridgeOptions()), name: "busy\(index)", index: index))
      }
      for index: Int32 in 100..<150 { batch.deleteLink(index) }
      while !isDone.withLock({ $0 }) { connection.withLock { _ = try? $0.perform(batch) } }
      hasEnded.signal()
    }
  }

  func end() {
    isDone.withLock { $0 = true }
    hasEnded.wait()
  }
}
