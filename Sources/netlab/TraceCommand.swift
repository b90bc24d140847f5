import ArgumentParser
import LabLifecycle
import LabTrace

struct TraceCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract:
      "Follow a packet through a running lab: predicted from the kernel's state, proved with a real packet.",
    discussion: """
      The prediction reads links, bridges, VLANs, forwarding entries, neighbours, routes and settings of all the lab's \
      namespaces, and shows each stage in the shape of ovn-trace. Then a real packet is sent, and beside each stage is \
      printed when it was seen there. Exit code 0: delivered as predicted; 1: dropped, or not as predicted.

        netlab trace two-vms focal-1 focal-2
        netlab trace two-vms focal-1 192.168.21.66 --proto tcp --dport 22 --round-trip
        netlab trace two-vms focal-1 fa:16:3e:e4:e8:04        a raw frame to a MAC address
        netlab trace two-vms focal-1 ff:ff:ff:ff:ff:ff        who hears a broadcast?
      """)

  @OptionGroup var options: LabOptions
  @Argument(help: "The VM that sends, by name or address.") var from: String
  @Argument(help: "The VM that is to get it, by name or address; or a MAC address.") var to: String
  @Option(help: "icmp, udp or tcp.") var proto = Tracer.Probe.Transport.icmp
  @Option(help: "The destination port, of udp and tcp.") var dport = 33434
  @Option(help: "The size of the whole IP packet, in bytes; it may not be fragmented.") var size = 84
  @Option(help: "The VLAN tag of a raw frame.") var vlan: Int?
  @Flag(help: "Follow the answer, too.") var roundTrip = false
  @Flag(inversion: .prefixedNo, help: "Send a real packet (the default).") var live = true
  @Flag(help: "The same as --no-live.") var predictOnly = false
  @Flag(help: "Show only where the packet goes.") var minimal = false
  @Flag(help: "Show what each element does, without what it looks at.") var summary = false
  @Flag(help: "Print the trace as JSON.") var json = false

  func validate() throws {
    if !(1...65535).contains(dport) { throw ValidationError("--dport is 1 to 65535") }
    if !(28...65535).contains(size) { throw ValidationError("--size is 28 to 65535 bytes") }
    if let vlan, !(1...4094).contains(vlan) { throw ValidationError("--vlan is 1 to 4094") }
  }

  func run() async throws {
    let lifecycle = Lifecycle.forCommandLine()
    var probe = Tracer.Probe()
    (probe.transport, probe.port, probe.size, probe.vlan) = (proto, dport, size, vlan)
    (probe.isRoundTrip, probe.isLive) = (roundTrip, live && !predictOnly)
    let trace = try await Tracer(lifecycle: lifecycle).trace(
      lab: try await options.name(lifecycle), from: from, to: to, probe)
    if json {
      try Console.printJSON(trace)
    } else {
      Console.print(Console.runnable(trace.text(minimal ? .minimal : summary ? .summary : .detailed)))
    }
    if !trace.isDelivered { throw ExitCode(1) }
  }
}

extension Tracer.Probe.Transport: ExpressibleByArgument {}
