import FoundationEssentials
import LabKernel
import LabKit
import LabMachine
import LabModel
import Values

/// Which devices of a running lab were impaired or taken down by `netlab impair` and `netlab link`.
///
/// A device is noted before the kernel is touched, and forgotten after it is as the lab says again: so whenever netlab
/// ends in between, what it set is not taken for drift. How it is set is not noted, but read from the kernel.
package struct RuntimeSettings: Hashable, Codable, Sendable {
  package struct Device: Hashable, Codable, Sendable {
    package var namespace: String
    package var name: String
  }

  package var impaired: Set<Device> = []
  package var down: Set<Device> = []

  package var isEmpty: Bool { impaired.isEmpty && down.isEmpty }

  /// Whether something differs from the lab because it was set at run time, or because of that: a link that is down has
  /// no routes and no IPv6 addresses, and what is stacked on it is down as well.
  package func cover(_ change: Change, in wanted: Blueprint) -> Bool {
    guard let device = change.resource.owner else { return false }
    let place = Device(namespace: change.resource.namespace, name: device)
    switch change {
    case _ where change.resource is Qdisc: return impaired.contains(place)
    case .update(let link as Link, _, let differences):
      return isDown(place, in: wanted) && link.isUp && differences.allSatisfy { $0.attribute == "state" }
    case .create(let route as RouteEntry): return route.device != nil && isDown(place, in: wanted)
    case .create(let address as Address):
      return address.address.family == .ipv6 && isDown(place, in: wanted)
    default: return false
    }
  }

  private func isDown(_ device: Device, in wanted: Blueprint) -> Bool {
    if down.isEmpty || down.contains(device) { return !down.isEmpty }
    let link = wanted.links.first { $0.namespace == device.namespace && $0.name == device.name }
    guard let subinterface = link?.kind as? VLANSubinterface else { return false }
    return down.contains(Device(namespace: device.namespace, name: subinterface.parent))
  }
}

extension Change {
  /// What is set, for one that ``RuntimeSettings`` cover: `eth0 in two-vms.focal-1 is down`. `nil` for what only follows.
  package var runtimeText: String? {
    switch self {
    case .update(let link as Link, _, _): "\(link.name) in \(link.namespace) is down"
    case .delete(let qdisc as Qdisc): qdisc.runtimeText
    case .update(_, let qdisc as Qdisc, _): qdisc.runtimeText
    case .create(let qdisc as Qdisc): "no impairment on \(qdisc.device) in \(qdisc.namespace)"
    default: nil
    }
  }
}

extension Qdisc {
  fileprivate var runtimeText: String { "\(discipline.words) on \(device) in \(namespace)" }
}

extension LabStore {
  /// What was set at run time on a lab.
  package func runtimeSettings(of lab: String) -> RuntimeSettings {
    guard let bytes = try? Files.read(path(of: .runtime, of: lab), limit: 64 << 20, followingLinks: false)
    else { return RuntimeSettings() }
    return (try? JSONDecoder().decode(RuntimeSettings.self, from: Data(bytes))) ?? RuntimeSettings()
  }

  /// Writes what is set at run time, whole or not at all. The caller holds the lab's lock.
  func save(_ settings: RuntimeSettings, of lab: String) throws {
    do {
      if settings.isEmpty { return try Files.removeFile(path(of: .runtime, of: lab)) }
      try Files.removeFile(path(of: .runtimeDraft, of: lab))
      try Files.write(
        Array(JSONEncoder().encode(settings)), to: path(of: .runtimeDraft, of: lab), permissions: 0o600)
      try Files.rename(path(of: .runtimeDraft, of: lab), to: path(of: .runtime, of: lab))
    } catch let error as FileError {
      throw unwritable(error)
    }
  }
}
