import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

/// The device that a capture point means, found in the kernel.
struct CapturedDevice {
  var node: String
  var namespace: OpenNamespace
  var link: Netlink.Link

  /// `focal-1:eth0`
  var text: String { "\(node):\(link.name)" }
}

extension CheckRunner {
  /// Finds the device of a capture point. Throws `Skip` for one that only another datapath has.
  func device(at point: CapturePoint) throws -> CapturedDevice {
    switch point.place {
    case .device(let name):
      if let reason = lab.datapath.absence(of: name) { throw Skip(reason: reason) }
      return try device(name, of: point.node)
    case .port(let network):
      return try device(port(of: point.node, on: network).device, of: point.node)
    case .fabric(let role, let network):
      let name = role.device(of: try port(of: point.node, on: network))
      if let reason = lab.datapath.absence(of: name) { throw Skip(reason: reason) }
      return try device(name, of: vm(point.node).host)
    }
  }

  /// A VM's port on a network, or its first one.
  func port(of vm: String, on network: String?) throws -> ResolvedPort {
    let ports = try self.vm(vm).allPorts
    let found =
      network == nil ? ports.first : ports.first(where: { lab.networks[$0.network].name == network })
    guard let found else {
      throw Failure(
        expected: "a port of \(vm)\(network.map { " on \($0)" } ?? "")",
        seen: "its ports are on \(ports.map { lab.networks[$0.network].name })")
    }
    return found
  }

  func device(_ name: String, of node: String) throws -> CapturedDevice {
    let namespace = try open(node)
    do {
      let link = try namespace.connection.link(named: name)
      return CapturedDevice(node: node, namespace: namespace, link: link)
    } catch {
      throw Failure(expected: "a device \(name) in \(namespace.name)", seen: "\(error)")
    }
  }
}

extension CapturePoint.FabricRole {
  fileprivate func device(of port: ResolvedPort) -> String {
    switch self {
    case .tap: DeviceName.tap(port)
    case .qbr: DeviceName.qbr(port)
    case .qvb: DeviceName.qvb(port)
    case .qvo: DeviceName.qvo(port)
    }
  }
}

extension Datapath {
  /// Why there is no device of this name: it is another datapath's.
  fileprivate func absence(of device: String) -> String? {
    let foreign =
      switch self {
      case .hybrid: ["brq"]
      case .linuxbridge: [DeviceName.integrationBridge, "qbr", "qvb", "qvo"]
      }
    guard let kind = foreign.first(where: { device.hasPrefix($0) }) else { return nil }
    return "the \(rawValue) datapath has no \(kind)"
  }
}
