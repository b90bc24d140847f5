import Glibc
import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink

/// A tcpdump that listens while something else happens.
struct PacketCapture {
  var device: CapturedDevice
  /// In pcap's syntax; it must let the witness through.
  var filter: String
  /// For the name of the file that is kept.
  var location: SourceLocation
  /// Makes a packet that the capture must see after all others, and says which printed line shows it.
  ///
  /// Packets reach tcpdump in order: when it has printed this one, it has printed all that came before. So nothing has
  /// to be waited for, and a capture that saw nothing is shown to have been able to see something.
  var witness: () throws -> @Sendable (String) -> Bool
  /// Whether the lab has to bring the witness to the device, so that it is to blame when that is not seen.
  var isWitnessTraffic = false
  /// The packets that are captured, for explaining why they were seen or not.
  var passage: Passage?

  /// A frame that goes out of the captured device itself, and that no bridge forwards.
  init(at device: CapturedDevice, filter: String, location: SourceLocation) {
    let mark = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    // tcpdump prints what it does not know as groups of four digits.
    let text = stride(from: 0, to: mark.count, by: 2).map { hex(mark[$0]) + hex(mark[$0 + 1]) }
      .joined(separator: " ")
    self.init(device: device, filter: CaptureFilter.withWitness(filter), location: location) {
      try Frame.witness(from: device.link.address ?? MACAddress(value: 0), mark: mark)
        .send(from: device.namespace, link: device.link.index)
      return { $0.contains(text) }
    }
  }

  init(
    device: CapturedDevice, filter: String, location: SourceLocation,
    witness: @escaping () throws -> @Sendable (String) -> Bool
  ) {
    self.device = device
    self.filter = filter
    self.location = location
    self.witness = witness
  }

  /// What tcpdump printed of the packets before the witness, one line each.
  static func packets(in lines: [String]) -> [String] {
    // Lines of one packet after its first are indented.
    lines.filter { $0.first?.isWhitespace == false && !$0.contains("(\(Frame.witnessTypeText))") }
  }
}

private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

extension PacketCapture {
  /// Captures while `stimulus` runs, and has `judge` look at the packets.
  ///
  /// - Parameters:
  ///   - stimulus: makes the traffic; why it went wrong when it did.
  ///   - judge: the detail to report when the packets are as they should be; throws a `Failure` otherwise.
  func run(
    in context: CheckContext, while stimulus: () async throws -> Failure?,
    judge: ([String]) throws -> String
  ) async throws -> String {
    let directory = try LabStore().makeWorkDirectory(of: context.lab.name)
    defer { try? Files.remove(directory) }
    let file = directory + "/capture.pcap"
    do {
      return try await listen(in: context, writingTo: file, while: stimulus, judge: judge)
    } catch var failure as Failure {
      var passage = passage
      passage?.question = .sighting(node: device.node, device: device.link.name)
      failure.passage = failure.passage ?? passage
      // A tcpdump that did not get to listen wrote nothing.
      if let bytes = try? Files.read(file), !bytes.isEmpty {
        failure.capture = try context.captures.keep(bytes, as: name(in: context.lab))
      }
      throw failure
    }
  }

  private func listen(
    in context: CheckContext, writingTo file: String, while stimulus: () async throws -> Failure?,
    judge: ([String]) throws -> String
  ) async throws -> String {
    let name = device.text
    var command = ["tcpdump", "-i", device.link.name, "-n", "-e", "-l", "-U", "--immediate-mode"]
    // Without the optimizer: libpcap's loses the frame that `X or (vlan N and icmp)` should let through.
    command += ["-O", "--print", "-w", file] + Self.asRoot + ["--", filter]
    let ((failure, lines), result) = try await context.processes.withProcess(
      command, in: context.namespace(of: device.node), environment: context.processes.toolEnvironment
    ) { process -> (Failure?, [String]) in
      let (complaints, isListening) = await process.standardError.lines(within: .seconds(30)) {
        $0.contains("listening on")
      }
      guard isListening else {
        let words = complaints.isEmpty ? "it did not within 30 s" : complaints.joined(separator: "; ")
        return (blindness("tcpdump to listen on \(name)", words), [])
      }
      var failure = try await stimulus()
      let isWitness: @Sendable (String) -> Bool
      do {
        isWitness = try witness()
      } catch {
        let unsent = blindness("a frame to go out of \(name), which shows that the capture works", "\(error)")
        return (failure ?? unsent, [])
      }
      let (lines, isSeen) = await process.standardOutput.lines(within: .seconds(5), until: isWitness)
      if !isSeen {
        var blind = blindness(
          "the capture at \(name) to see the frame that shows that it works",
          "nothing of it, so that the capture proves nothing")
        blind.isProven = blind.isProven || isWitnessTraffic
        failure = failure ?? blind
      }
      process.interrupt()
      _ = await process.exit(within: .seconds(5))
      return (failure, Self.packets(in: lines))
    }
    if var failure {
      failure.details += lines.shown + result.complaints
      throw failure
    }
    let dropped = result.lines.first { $0.hasSuffix("dropped by kernel") && !$0.hasPrefix("0 ") }
    if let dropped { throw Failure.unproven("a complete capture at \(name)", dropped) }
    return try judge(lines)
  }

  /// Why nothing could be seen. It is the lab's fault when the device is down or gone.
  private func blindness(_ expected: String, _ seen: String) -> Failure {
    let link = try? device.namespace.connection.link(named: device.link.name)
    return Failure(expected: expected, seen: seen, isProven: link?.isUp != true)
  }

  /// tcpdump run by root becomes a user of its own otherwise, who may not write into the private directory.
  private static var asRoot: [String] { geteuid() == 0 ? ["-Z", "root"] : [] }

  /// `two-vms-35-focal-1-eth0`, after lab, line and device.
  private func name(in lab: ResolvedLab) -> String {
    "\(lab.name)-\(location.line)-\(device.node)-\(device.link.name)"
  }
}

extension ProcessResult {
  /// What tcpdump has to say beside its usual lines, such as that the interface went down.
  fileprivate var complaints: [String] {
    errorOutput.split(whereSeparator: \.isNewline).map(String.init).filter {
      $0.hasPrefix("tcpdump: ") && !$0.hasPrefix("tcpdump: listening on")
        && !$0.hasPrefix("tcpdump: verbose output")
    }
  }
}

extension ProcessOutput {
  /// The lines up to the one that `isLast` accepts, and whether it came within the limit.
  fileprivate func lines(
    within limit: Duration, until isLast: @escaping @Sendable (String) -> Bool
  ) async -> (lines: [String], found: Bool) {
    // Cancelling ends the reading, with the lines so far.
    await limited(to: limit) {
      var lines: [String] = []
      for await line in self.lines {
        lines.append(line)
        if isLast(line) { return (lines, true) }
      }
      return (lines, false)
    }.value
  }
}

extension CaptureFilter {
  /// A filter that lets the witness frame through, and what `filter` does.
  ///
  /// The witness comes first: a `vlan` in a filter moves the offsets of all that follows it.
  static func withWitness(_ filter: String) -> String {
    filter.isEmpty ? "" : "ether proto \(Frame.witnessTypeText) or (\(filter))"
  }
}
