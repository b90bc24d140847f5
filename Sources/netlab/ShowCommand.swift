import ArgumentParser
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel

struct ShowCommand: RootlessLabCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a running lab as the kernel has it.",
    discussion: """
      Everything is read from the kernel; of the lab only names are taken. What to show:

        ports        each VM's port: network, addresses, tag, state, counters, and its way to the switch (default)
        switch       networks and what is plugged into them, in the shape of `ovn-nbctl show`
        bridges      bridges and their ports, as `brctl show` and `bridge vlan show` say it, with peers
        fdb          which MACs the bridges have learned, and whose they are
        neighbours   who has resolved whose address
        routes       the nodes' routes

        netlab show two-vms
        netlab show two-vms fdb --json
      """)

  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case ports, `switch`, bridges, fdb, neighbours, routes

    fileprivate var details: KernelState.Aspects {
      switch self {
      case .ports: .statistics
      case .switch, .bridges: []
      case .fdb, .neighbours: .allEntries
      case .routes: .allRoutes
      }
    }
  }

  @OptionGroup var options: LabOptions
  @Argument(help: "ports, switch, bridges, fdb, neighbours or routes.")
  var subject = "ports"
  @Flag(help: "Also what every namespace has: the devices' own FDB entries, the local routing table.")
  var all = false
  @Flag(help: "Print the result as JSON.") var json = false

  func run() async throws {
    let subject = try Self.subject(named: subject)
    let lifecycle = Lifecycle.forCommandLine()
    let inspection = try lifecycle.inspect(
      try await options.name(lifecycle), reading: subject.details)
    switch subject {
    case .ports: try show(inspection.ports()) { portTable($0, inspection) }
    case .switch: try show(inspection.switches()) { $0.flatMap(\.lines) }
    case .bridges: try show(inspection.bridges(), as: bridgeTables)
    case .fdb: try show(inspection.forwarding(withOwn: all), as: forwardingTable)
    case .neighbours: try show(inspection.neighbours(), as: neighbourTable)
    case .routes: try show(inspection.routes(withLocal: all), as: routeTable)
    }
  }

  private static func subject(named name: String) throws -> Subject {
    if let subject = Subject(rawValue: name) { return subject }
    let names = Subject.allCases.map(\.rawValue)
    throw RunnerError(
      .usage, "there is nothing called '\(name.terminalSafe)' to show",
      remedy: didYouMean(name, among: names)
        ?? "There is \(names.joined(separator: ", ")).")
  }

  private func show<Row: Encodable>(_ rows: [Row], as lines: ([Row]) -> [String]) throws {
    if json { return try Console.printJSON(rows) }
    for line in lines(rows) { Console.print(line) }
  }

  private func portTable(_ ports: [PortView], _ inspection: Inspection) -> [String] {
    var table = TextTable(
      ["VM", "DEVICE", "NETWORK", "TAG", "STATE", "MAC", "ADDRESSES", "RX", "TX", "DROPPED"],
      rightAligned: [3, 7, 8, 9])
    for port in ports {
      table.add(
        [
          port.vm, port.device, port.network ?? "–", port.tag.map { "\($0)" } ?? "", port.state, port.mac,
          port.addresses.joined(separator: ", "), "\(port.receivedPackets)", "\(port.sentPackets)",
          port.dropped == 0 ? "" : "\(port.dropped)",
        ],
        detail: (port.chain + (port.bridge.map { [$0] } ?? [])).joined(separator: " → ")
          + (port.host.map { " (\($0))" } ?? ""))
    }
    var lines = table.lines()
    if !inspection.changes.isEmpty {
      let count = inspection.changes.count
      lines += [
        "",
        "\(count) thing\(count == 1 ? "" : "s") not as the lab wants: netlab status \(inspection.lab.name)",
      ]
    }
    return lines
  }

  private func bridgeTables(_ bridges: [BridgeView]) -> [String] {
    var table = TextTable(["PORT", "STATE", "VLANS", "PEER", "FLAGS"])
    for bridge in bridges {
      var facts = [bridge.id, "stp \(bridge.stp ? "on" : "off")"]
      if bridge.vlanFiltering { facts.append("vlan filtering") }
      if bridge.ageing == 0 { facts.append("learns nothing") }
      if !bridge.isUp { facts.append("down") }
      table.addHeading(
        "\(bridge.name) on \(bridge.node)  \(Console.styled(facts.joined(separator: ", "), .faint))")
      for port in bridge.ports {
        table.add([
          port.name, port.state, port.vlans.joined(separator: ", "), port.peer ?? "",
          port.flags.joined(separator: ", "),
        ])
      }
    }
    return table.lines()
  }

  private func forwardingTable(_ entries: [ForwardingView]) -> [String] {
    guard !entries.isEmpty else { return ["no bridge has learned anything yet"] }
    var table = TextTable(["NODE", "BRIDGE", "VLAN", "MAC", "PORT", "KIND", "OF"], rightAligned: [2])
    for entry in entries {
      table.add([
        entry.node, entry.bridge, entry.vlan.map { "\($0)" } ?? "", entry.mac, entry.port, entry.kind,
        entry.owner ?? "",
      ])
    }
    return table.lines()
  }

  private func neighbourTable(_ entries: [NeighbourView]) -> [String] {
    guard !entries.isEmpty else { return ["nobody has resolved an address yet"] }
    var table = TextTable(["NODE", "ADDRESS", "DEVICE", "MAC", "STATE", "OF"])
    for entry in entries {
      table.add([entry.node, entry.address, entry.device, entry.mac ?? "", entry.state, entry.owner ?? ""])
    }
    return table.lines()
  }

  private func routeTable(_ routes: [RouteView]) -> [String] {
    guard !routes.isEmpty else { return ["no node has a route"] }
    var table = TextTable(
      ["NODE", "DESTINATION", "TYPE", "VIA", "DEVICE", "SOURCE", "METRIC", "TABLE", "MADE BY"],
      rightAligned: [6])
    for route in routes {
      table.add([
        route.node, route.destination, route.kind == "unicast" ? "" : route.kind, route.gateway ?? "",
        route.device ?? "", route.source ?? "", route.metric.map { "\($0)" } ?? "",
        route.table == "main" ? "" : route.table, route.origin,
      ])
    }
    return table.lines()
  }
}

extension SwitchView {
  /// As `ovn-nbctl show` writes it.
  fileprivate var lines: [String] {
    ["switch \(id ?? "–") (\(name))"]
      + ports.flatMap { port in
        ["    port \(port.id ?? "–") (aka \(port.alias))"]
          + [
            port.parentTag.map { "parent tag: \($0)" }, port.tag.map { "tag: \($0)" },
            "addresses: [\"\(port.address)\"]", "plugged: \(port.plugged)",
          ].compactMap { $0 }.map { "        \($0)" }
      }
  }
}
