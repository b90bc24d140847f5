import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import Netlink
import Values

/// A VM's port as the kernel has it: a row of `netlab show LAB ports`.
package struct PortView: Codable, Sendable {
  package var vm: String
  package var device: String
  /// The network whose tag or bridge the port has; absent when no network of the lab has it.
  package var network: String?
  package var mac: String
  package var addresses: [String]
  /// In bytes.
  package var mtu: Int
  /// The host's devices on the way to the switch: tap, qbr, qvb, qvo.
  package var chain: [String]
  package var host: String?
  package var bridge: String?
  /// The tag that its frames get in the switch; absent where there are no tags.
  package var tag: Int?
  /// `up`, or what keeps it from being it: `qvb4f7a down`.
  package var state: String
  /// From the VM's point of view.
  package var receivedPackets: UInt64
  package var receivedBytes: UInt64
  package var sentPackets: UInt64
  package var sentBytes: UInt64
  /// In both directions, on all devices of the chain.
  package var dropped: UInt64
}

extension Inspection {
  /// The VMs' ports: where each is plugged, and whether it works.
  package func ports() -> [PortView] {
    wiring.ports.map { port in
      let link = link(port.interface)
      let counters = link?.statistics
      return PortView(
        vm: port.interface.node, device: port.interface.name, network: port.network,
        mac: port.mac.map { "\($0)" } ?? "", addresses: addresses(of: port.interface),
        mtu: Int(link?.mtu ?? 0),
        chain: port.chain.map(\.name), host: port.chain.first?.node, bridge: port.bridge?.name, tag: port.tag,
        state: state(of: port), receivedPackets: counters?.receivedPackets ?? 0,
        receivedBytes: counters?.receivedBytes ?? 0, sentPackets: counters?.transmittedPackets ?? 0,
        sentBytes: counters?.transmittedBytes ?? 0,
        dropped: ([port.interface] + port.chain).reduce(0) { sum, device in
          let counters = self.link(device)?.statistics
          return sum + (counters?.receiveDropped ?? 0) + (counters?.transmitDropped ?? 0)
        })
    }
  }

  /// With prefix lengths, without what the kernel gives every interface.
  private func addresses(of device: LabDevice) -> [String] {
    guard let node = node(device.node)?.state, let link = node[device.name] else { return [] }
    return node.addresses.filter { $0.link == link.index }.compactMap { found in
      if found.address.family == .ipv6, found.address.address.isLinkLocal { return nil }
      return "\(found.address)"
        + (found.isDuplicate ? " duplicate" : found.isTentative ? " tentative" : "")
    }
  }

  /// What is wrong first, on the way from the VM to the switch.
  private func state(of port: WiredPort) -> String {
    for device in port.devices {
      guard let link = link(device) else { return "\(device.name) missing" }
      if !link.isUp { return "\(device.name) down" }
      if let state = link.bridgePort?.state, state != .forwarding { return "\(device.name) \(state)" }
    }
    guard port.bridge != nil else { return "\((port.chain.last ?? port.interface).name) unplugged" }
    if port.isTagged, port.tag == nil { return "no tag" }
    return "up"
  }
}
