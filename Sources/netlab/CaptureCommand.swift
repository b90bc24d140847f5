import ArgumentParser
import Glibc
import LabCapture
import LabInspect
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabTrace

struct CaptureCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Capture packets at several devices of a running lab at once.",
    discussion: """
      A place is NODE (a VM's interfaces, a host's switches), NODE:DEVICE, or VM:tap, VM:qbr, VM:qvb, VM:qvo. The \
      filter is pcap's (man pcap-filter). Packets are printed as tcpdump does, or written in pcapng format with one \
      interface for each place. Ctrl-C ends it.

        netlab capture two-vms focal-1 focal-2:eth0 icmp
        netlab capture two-vms --all-hops focal-1 focal-2 --filter 'arp or icmp'
        netlab capture two-vms focal-1:tap compute-1:br-int -w path.pcapng -c 100
        netlab capture two-vms focal-1 -w - | wireshark -k -i -
      """)

  @OptionGroup var options: LabOptions
  @Argument(
    help: ArgumentHelp(
      "Where to capture; words behind that name no place are the filter.", valueName: "place"))
  var words: [String] = []
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Capture at every device that packets from one VM to another pass, by prediction.", valueName: "vm"))
  var allHops: [String] = []
  @Option(
    help: ArgumentHelp(
      "Which packets, in pcap's syntax; it may also follow the places.", valueName: "expression"))
  var filter: String?
  @Option(name: .short, help: ArgumentHelp("End after so many packets.", valueName: "count")) var c: Int?
  @Option(name: .short, help: ArgumentHelp("Write a pcapng file; - is standard output.", valueName: "file"))
  var w: String?

  func validate() throws {
    guard allHops.count != 1 else {
      throw ValidationError("--all-hops takes two VMs: FROM TO")
    }
    if words.isEmpty && allHops.isEmpty {
      throw ValidationError("Name a place to capture at: netlab capture \(options.lab) NODE[:DEVICE]")
    }
    if let c, c < 1 { throw ValidationError("-c takes a number above 0.") }
  }

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    let inspection = try lifecycle.inspect(try await options.name(lifecycle), reading: [])
    var found: [CapturePlace] = []
    if !allHops.isEmpty {
      let path = try await Tracer(lifecycle: lifecycle).path(
        lab: inspection.lab.name, from: allHops[0], to: allHops[1])
      if let end = path.end {
        Console.warn("the packets end at \(end.device), by prediction: \(end.explanation)")
      }
      found = try inspection.places(of: path.devices)
    }
    let (names, trailing) = try inspection.split(
      allHops.dropFirst(2) + words, allowsNoPlace: !allHops.isEmpty)
    for name in names {
      for place in try inspection.places(name) where !found.contains(where: { $0.device == place.device }) {
        found.append(place)
      }
    }
    if filter != nil, !trailing.isEmpty {
      throw RunnerError(.usage, "there are two filters: '\(filter ?? "")' and '\(trailing.terminalSafe)'")
    }
    let capture = LiveCapture(lab: inspection.lab.name, places: found, filter: filter ?? trailing)
    let summary = try await cancelledBySignals { [w, c] in
      if let w {
        try await Self.write(capture, to: w, limit: c)
      } else {
        try await Self.print(capture, limit: c)
      }
    }
    Console.warn(
      "\(summary.packets) packet\(summary.packets == 1 ? "" : "s") at \(found.count) place\(found.count == 1 ? "" : "s")"
        + (summary.lost > 0 ? ", \(summary.lost) lost" : "") + (w.map { $0 == "-" ? "" : " in \($0)" } ?? ""))
  }

  private static func print(_ capture: LiveCapture, limit: Int?) async throws -> LiveCapture.Summary {
    let width = capture.places.map { "\($0.device)".count }.max() ?? 0
    let show: @Sendable (LabDevice, String) -> Void = { device, line in
      let place = "\(device)".padding(to: width)
      Console.print("\(Console.styled(place, .strong))  \(line.terminalSafe)")
    }
    return try await capture.printText(limit: limit, ready: { announce(capture) }, print: show)
  }

  private static func write(_ capture: LiveCapture, to file: String, limit: Int?) async throws
    -> LiveCapture.Summary
  {
    guard file != "-" else {
      guard isatty(STDOUT_FILENO) == 0 else {
        throw RunnerError(
          .usage, "packets are not written to a terminal", remedy: "Send them on: … -w - | wireshark -k -i -")
      }
      return try await capture.write(to: STDOUT_FILENO, limit: limit) { announce(capture) }
    }
    return try await capture.write(toFile: file, limit: limit) { announce(capture) }
  }

  private static func announce(_ capture: LiveCapture) {
    let devices = capture.places.map { "\($0.device)" }.joined(separator: ", ")
    Console.warn("capturing at \(devices); Ctrl-C ends it")
  }
}
