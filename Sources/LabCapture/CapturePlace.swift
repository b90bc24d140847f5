import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// A device to capture at.
package struct CapturePlace: Sendable {
  package var device: LabDevice
  /// The `ip netns` name.
  package var namespace: String
  /// What the device is in the lab: `tap-focal-1, veth in compute-1`.
  package var role: String
  var index: Int32
  var mac: MACAddress?
}

extension Inspection {
  /// The devices that a person means by `NODE`, `NODE:DEVICE` or, for a device of a VM's chain, `VM:tap`.
  ///
  /// A VM by itself stands for its interfaces, a host for its switches.
  /// - Throws: a `RunnerError` for what there is not, with the nearest name.
  package func places(_ text: String) throws(RunnerError) -> [CapturePlace] {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let node = try requireNode(parts[0])
    var devices: [LabDevice] = []
    if parts.count == 2 {
      devices = [try requireDevice(parts[1], of: node)]
    } else {
      for port in wiring.ports {
        let device =
          port.interface.node == node ? port.interface : port.bridge?.node == node ? port.bridge : nil
        guard let device, !devices.contains(device) else { continue }
        // What passes a subinterface passes its parent, too.
        if wiring[device]?.kind is VLANSubinterface { continue }
        devices.append(device)
      }
    }
    guard !devices.isEmpty else {
      throw RunnerError(
        .usage, "\(node) has no device by itself to capture at",
        remedy: "Name one: \(node):DEVICE (netlab show)")
    }
    return try devices.map(place)
  }

  /// Tells places from the filter behind them, which begins with the first word that names no node.
  ///
  /// A word that is nearly a node's name is taken for a slip.
  package func split(_ words: [String], allowsNoPlace: Bool) throws(RunnerError) -> (
    places: [String], filter: String
  ) {
    let names = nodes.map(\.name)
    func node(_ word: String) -> String { String(word.prefix { $0 != ":" }) }
    let places = words.prefix { names.contains(node($0)) }
    let rest = words.dropFirst(places.count)
    if let first = rest.first, places.isEmpty && !allowsNoPlace || nearest(to: node(first), in: names) != nil
    {
      _ = try requireNode(node(first))
    }
    return (Array(places), rest.joined(separator: " "))
  }

  /// The devices of a path, such as `Tracer.path(lab:from:to:)` gives.
  package func places(of path: [LabDevice]) throws(RunnerError) -> [CapturePlace] { try path.map(place) }

  private func place(_ device: LabDevice) throws(RunnerError) -> CapturePlace {
    guard let link = link(device) else {
      throw RunnerError(
        .kernel, "the device \(device) is not there", remedy: "`netlab up \(lab.name)` makes it again.")
    }
    let role = link.alternativeNames.first ?? "\(device)"
    return CapturePlace(
      device: device, namespace: lab.namespace(of: device.node),
      role: "\(role), \(wiring[device]?.kind.word ?? "device") in \(device.node)", index: link.index,
      mac: link.address)
  }

  private func requireNode(_ name: String) throws(RunnerError) -> String {
    let names = nodes.map(\.name)
    if names.contains(name) { return name }
    throw RunnerError(
      .usage, "the lab '\(lab.name)' has no node '\(name.terminalSafe)'",
      remedy: didYouMean(name, among: names)
        ?? "It has \(names.joined(separator: ", ")).")
  }

  private func requireDevice(_ name: String, of node: String) throws(RunnerError) -> LabDevice {
    let links = self.node(node)?.state.links ?? []
    if let link = links.first(where: { $0.name == name || $0.alternativeNames.contains(name) }) {
      return LabDevice(node: node, name: link.name)
    }
    let chain = wiring.ports.first { $0.interface.node == node }?.devices.dropFirst() ?? []
    if let device = chain.first(where: {
      $0.name == name || ["tap", "qbr", "qvb", "qvo"].contains(name) && $0.name.hasPrefix(name)
    }) {
      return device
    }
    let names = links.flatMap { [$0.name] + $0.alternativeNames }.sorted()
    throw RunnerError(
      .usage, "\(node) has no device '\(name.terminalSafe)'",
      remedy: didYouMean(name, among: names)
        ?? "It has \(links.map(\.name).sorted().joined(separator: ", ")).")
  }
}
