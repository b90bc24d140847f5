import Glibc
import LabKernel
import LabKit
import LabModel
import Netlink

/// The device that a capture point means, found in the kernel.
struct CapturedDevice {
  var node: String
  var namespace: OpenNamespace
  var link: Netlink.Link

  /// `focal-1:eth0`
  var text: String { "\(node):\(link.name)" }
}

extension CheckContext {
  /// Finds the device of a capture point. Throws `Skip` for one that only another datapath has.
  func device(at point: CapturePoint) throws -> CapturedDevice {
    switch point.place {
    case .device(let name):
      if let reason = lab.datapath.absence(of: name) { throw Skip(reason: reason) }
      return try device(name, of: point.node)
    case .port(let network):
      return try device(port(of: point.node, on: network).device, of: point.node)
    case .fabric(let role, let network):
      guard let name = lab.datapath.wiring.device(role, of: try port(of: point.node, on: network)) else {
        throw Skip(reason: lab.datapath.absence(ofKind: role.rawValue))
      }
      return try device(name, of: vm(point.node).host)
    }
  }

  /// Finds a device by its name in a node.
  func device(_ name: String, of node: String) throws -> CapturedDevice {
    let namespace = try open(node)
    do {
      let link = try namespace.connection.link(named: name)
      return CapturedDevice(node: node, namespace: namespace, link: link)
    } catch {
      guard error.code == ENODEV else { throw error }
      throw Failure(expected: "a device \(name) in \(namespace.name)", seen: "\(error)")
    }
  }
}
