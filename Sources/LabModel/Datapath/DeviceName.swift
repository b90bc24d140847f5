import LabKit
import Values

/// Neutron's device names: three letters and the first 11 characters of a UUID (14 in all, as libvirt's limit wants).
package enum DeviceName {
  package static let integrationBridge = "br-int"

  package static func tap(_ port: ResolvedPort) -> String { "tap\(port.shortID)" }
  package static func qbr(_ port: ResolvedPort) -> String { "qbr\(port.shortID)" }
  package static func qvb(_ port: ResolvedPort) -> String { "qvb\(port.shortID)" }
  package static func qvo(_ port: ResolvedPort) -> String { "qvo\(port.shortID)" }
  package static func brq(_ network: ResolvedNetwork) -> String { "brq\(network.id.prefix(11))" }

  /// `tapde4f2069.100`: as much of the parent port's id as leaves room for the VLAN id in 15 characters.
  package static func tapSubinterface(of port: ResolvedPort, vlan: Int) -> String {
    let suffix = ".\(vlan)"
    return "tap" + port.id.prefix(NameRule.device.limit - 3 - suffix.utf8.count) + suffix
  }
}
