import Glibc
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

extension LiveCapture {
  /// Captures and has tcpdump print each packet, with the place that saw it before it.
  ///
  /// One tcpdump prints the packets of all places, so that they stand in the order in which they passed.
  /// - Parameters:
  ///   - limit: how many packets; `nil` until the task is cancelled.
  ///   - ready: called when everything that passes is captured.
  ///   - print: gets a line; those that go on with a packet's text begin with white space.
  package func printText(
    limit: Int? = nil, ready: @escaping @Sendable () -> Void,
    print: @escaping @Sendable (LabDevice, String) -> Void
  ) async throws -> Summary {
    guard CheckTool.tcpdump.isInstalled() else {
      throw RunnerError(
        .environment, CheckTool.tcpdump.absence, remedy: "It prints the packets; -w writes them without it.")
    }
    let reader = try await open()
    ready()
    // Cancelling ends the capture, and tcpdump by way of it: with all that came before printed.
    let printing = Task { try await printText(of: reader, limit: limit, print: print) }
    return try await withTaskCancellationHandler {
      try await printing.value
    } onCancel: {
      reader.stop()
    }
  }

  private func printText(
    of reader: PacketReader, limit: Int?, print: @escaping @Sendable (LabDevice, String) -> Void
  ) async throws -> Summary {
    let directory = try LabStore().makeWorkDirectory(of: lab)
    defer { try? Files.remove(directory) }
    let pipe = "\(directory)/packets"
    guard unsafe mkfifo(pipe, 0o600) == 0 else { throw FileError("make the pipe \(pipe)") }
    let command = ["tcpdump", "-r", pipe, "-n", "-e", "-l"] + (geteuid() == 0 ? ["-Z", "root"] : [])
    return try await processes.withProcess(
      command, environment: processes.toolEnvironment, outputLimit: nil
    ) { process in
      let output = try await Self.open(pipe, toBeReadBy: process)
      let seen = SeenPlaces()
      async let printed: Void = {
        for await line in process.standardOutput.lines {
          print(places[seen.next(line.first?.isWhitespace == false)].device, line)
        }
      }()
      let outcome: Result<Int, any Error>
      do {
        outcome = .success(
          try await reader.forEachBatch(limit: limit) { packets in
            seen.add(packets.map(\.place))
            return try await output.write(packets.flatMap(PcapHeader.record))
          })
      } catch {
        outcome = .failure(error)
      }
      close(output.descriptor)
      await printed
      return Summary(packets: try outcome.get(), lost: reader.counts().reduce(0) { $0 + $1.lost })
    }.value
  }

  /// Opens a pipe for writing when tcpdump has opened it for reading, or has ended.
  ///
  /// A pipe that is closed before would keep tcpdump waiting for a writer for ever.
  private static func open(_ pipe: String, toBeReadBy process: RunningProcess) async throws -> CaptureOutput {
    // For reading as well, so that opening does not wait.
    let keeper = unsafe Glibc.open(pipe, O_RDWR | O_CLOEXEC)
    guard keeper >= 0 else { throw FileError("open the pipe \(pipe)") }
    defer { close(keeper) }
    _ = try await CaptureOutput(descriptor: keeper).write(PcapHeader.bytes)
    for await line in process.standardError.lines where line.hasPrefix("reading from file") { break }
    let writer = unsafe Glibc.open(pipe, O_WRONLY | O_CLOEXEC)
    guard writer >= 0 else { throw FileError("open the pipe \(pipe)") }
    return CaptureOutput(descriptor: writer)
  }
}

/// The places of the packets that tcpdump has been given, in their order.
private final class SeenPlaces: Sendable {
  private let state = Mutex((places: [Int](), next: 0, current: 0))

  func add(_ places: [Int]) { state.withLock { $0.places += places } }

  /// The place of the next packet, or of the one before.
  func next(_ isNext: Bool) -> Int {
    state.withLock { state in
      guard isNext, state.next < state.places.count else { return state.current }
      state.current = state.places[state.next]
      state.next += 1
      if state.next == 4096 {
        state.places.removeFirst(state.next)
        state.next = 0
      }
      return state.current
    }
  }
}

/// The classic pcap format, which tcpdump reads as it comes.
private enum PcapHeader {
  /// Nanoseconds, Ethernet, whole packets.
  static let bytes = words([0xa1b2_3c4d, 0x0004_0002, 0, 0, 1 << 18, 1])

  static func record(_ packet: PassedPacket) -> [UInt8] {
    let (seconds, nanoseconds) = packet.time.quotientAndRemainder(dividingBy: 1_000_000_000)
    return words([
      UInt32(seconds), UInt32(nanoseconds), UInt32(packet.bytes.count), UInt32(packet.originalLength),
    ]) + packet.bytes
  }

  private static func words(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
}
