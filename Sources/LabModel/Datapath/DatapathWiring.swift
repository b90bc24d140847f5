import LabKit

/// How one datapath makes a lab of kernel objects. All that is particular to a datapath is in its one file.
package protocol DatapathWiring {
  /// Adds the objects between the VMs' ports and the network.
  static func addWiring(to realiser: inout Realiser)

  /// The limits of the switches on a host, and names that would collide.
  static func check(_ host: ResolvedNode, ports: [ResolvedPort], in resolver: inout Resolver)

  /// The host-side device that a role names; `nil` where this datapath has none.
  static func device(_ role: CapturePoint.FabricRole, of port: ResolvedPort) -> String?

  /// How the devices begin that only other datapaths have.
  static var foreignDevices: [String] { get }

  /// The switch's port at which a VM's frames get their network's tag; `nil` where networks have no tags.
  static func taggedDevice(of port: ResolvedPort) -> String?

  /// The network of the lab that a switch's port is in.
  ///
  /// - Parameters:
  ///   - bridge: the name of the switch.
  ///   - tag: the VLAN that untagged frames of the port belong to.
  static func network(inBridge bridge: String, tag: Int?, on host: ResolvedNode, of lab: ResolvedLab) -> Int?
}

extension Datapath {
  /// Every datapath. A new one is a case of the enumeration that labs see, one line here, and a file beside this one.
  package var wiring: any DatapathWiring.Type {
    switch self {
    case .hybrid: Hybrid.self
    case .linuxbridge: Linuxbridge.self
    }
  }

  /// Why there is no device of this name: it is another datapath's.
  package func absence(of device: String) -> String? {
    guard let kind = wiring.foreignDevices.first(where: { device.hasPrefix($0) }) else { return nil }
    return absence(ofKind: kind)
  }

  /// Why there is no device of this kind.
  package func absence(ofKind kind: String) -> String { "the \(rawValue) datapath has no \(kind)" }
}
