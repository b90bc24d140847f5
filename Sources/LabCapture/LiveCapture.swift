import Dispatch
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Synchronization
import Values

/// A capture at several devices of a lab at once.
package struct LiveCapture: Sendable {
  package let lab: String
  package let places: [CapturePlace]
  /// In pcap's syntax; empty for all packets.
  package let filter: String
  let processes: ProcessRunner

  /// What was captured.
  package struct Summary: Sendable {
    package var packets: Int
    /// Packets that came faster than they could be read.
    package var lost: Int
  }

  package init(
    lab: String, places: [CapturePlace], filter: String = "", processes: ProcessRunner = ProcessRunner()
  ) {
    self.lab = lab
    self.places = places
    self.filter = filter
    self.processes = processes
  }

  /// Opens a socket at each place: all that passes from now on is captured.
  func open() async throws -> PacketReader {
    try await requireFilter()
    var sockets: [PacketSocket] = []
    for (number, place) in places.enumerated() {
      let program = try await FilterProgram(filter, at: place, processes: processes)
      sockets.append(try PacketSocket(at: place, number: number, filter: program.instructions))
    }
    return PacketReader(sockets)
  }

  private func requireFilter() async throws {
    guard !filter.isEmpty else { return }
    guard CheckTool.tcpdump.isInstalled() else {
      throw RunnerError(
        .environment, CheckTool.tcpdump.absence,
        remedy: "It compiles filters; without one, -w needs no tcpdump.")
    }
    guard let problem = await CaptureFilter.problem(of: filter, processes: processes) else { return }
    throw RunnerError(
      .usage, "'\(filter.terminalSafe)' is not a capture filter: \(problem)", remedy: "See man pcap-filter.")
  }
}

/// Reads the sockets of a capture as packets come.
final class PacketReader: Sendable {
  private let sockets: [PacketSocket]
  private let queue: DispatchQueue
  private let sources: Mutex<[any DispatchSourceRead]>
  private let packets: AsyncStream<[PassedPacket]>
  private let continuation: AsyncStream<[PassedPacket]>.Continuation

  init(_ sockets: [PacketSocket]) {
    let (packets, continuation) = AsyncStream<[PassedPacket]>.makeStream()
    let queue = DispatchQueue(label: "netlab.capture")
    var sources: [any DispatchSourceRead] = []
    for socket in sockets {
      let source = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor, queue: queue)
      source.setEventHandler { Self.read(sockets, into: continuation) }
      source.resume()
      sources.append(source)
    }
    self.sockets = sockets
    self.packets = packets
    self.continuation = continuation
    self.queue = queue
    self.sources = Mutex(sources)
  }

  /// Hands packets on in the order of their times, until there were so many, or all that came before ``stop()``, or
  /// until `write` says that nobody wants more.
  ///
  /// Not to be called in a task that is cancelled to end a capture: what is left would not be written.
  /// - Returns: how many there were.
  func forEachBatch(limit: Int?, write: ([PassedPacket]) async throws -> Bool) async rethrows -> Int {
    defer { stop() }
    var count = 0
    for await batch in packets {
      let batch = Array(batch.prefix((limit ?? .max) - count))
      count += batch.count
      guard try await write(batch), count < limit ?? .max else { break }
    }
    return count
  }

  /// What the kernel counted at each place.
  func counts() -> [(seen: Int, lost: Int)] { sockets.map { $0.counts() } }

  /// Takes what came until now, and nothing after it.
  func stop() {
    queue.async { [self] in
      let isFirst = sources.withLock { sources in
        for source in sources { source.cancel() }
        defer { sources = [] }
        return !sources.isEmpty
      }
      guard isFirst else { return }
      Self.read(sockets, into: continuation)
      continuation.finish()
    }
  }

  /// Reads all sockets, whichever woke it, so that packets of different devices can be put in order.
  private static func read(
    _ sockets: [PacketSocket], into continuation: AsyncStream<[PassedPacket]>.Continuation
  ) {
    let packets = sockets.flatMap { $0.read() }.sorted { $0.time < $1.time }
    if !packets.isEmpty { continuation.yield(packets) }
  }
}
