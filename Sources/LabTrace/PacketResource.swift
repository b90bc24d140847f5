import LabModel

/// A kind of resource that packets meet.
protocol PacketResource: Resource {
  /// Whether a change of one can have the effect that was seen.
  func canCause(_ reason: DropReason, _ change: Change) -> Bool
}

extension BridgeVLAN: PacketResource {
  func canCause(_ reason: DropReason, _ change: Change) -> Bool { reason.isAboutTags }
}

extension Qdisc: PacketResource {
  func canCause(_ reason: DropReason, _ change: Change) -> Bool {
    [.trafficControl, .lostInKernel].contains(reason)
  }
}

extension Address: PacketResource {
  func canCause(_ reason: DropReason, _ change: Change) -> Bool {
    reason.isAboutRoutes || [.duplicateAddress, .duplicateAddressDetected].contains(reason)
  }
}

extension RouteEntry: PacketResource {
  func canCause(_ reason: DropReason, _ change: Change) -> Bool { reason.isAboutRoutes }
}

extension Link: PacketResource {
  func canCause(_ reason: DropReason, _ change: Change) -> Bool {
    let attributes = change.attributes
    if reason.isAboutTags { return attributes.contains("kind") || attributes.contains("vlan_filtering") }
    if reason.isAboutRoutes { return change.isStructural }
    switch reason {
    case .nowhereToGo, .noAnswerToARP, .notABridgePort, .peerMissing, .lostInKernel, .deviceDown:
      return change.isStructural
    case .wrongNeighbour, .notForMe, .wrongForwardingEntry, .duplicateMAC:
      return attributes.contains("address")
    case .mtuExceeded: return attributes.contains("mtu")
    case .portState: return attributes.contains("stp_state")
    default: return false
    }
  }
}

extension DropReason {
  fileprivate var isAboutTags: Bool {
    [.vlanNotAllowed, .noPVID, .unknownTag, .tagNotRemoved].contains(self)
  }

  fileprivate var isAboutRoutes: Bool {
    [.noRoute, .routeRefused, .noSourceAddress, .addressNotLocal, .reversePath, .martianSource].contains(self)
  }
}

extension Change {
  /// Whether a device is missing, off its bridge, down, or another one than it should be.
  var isStructural: Bool {
    guard resource is Link else { return false }
    if case .create = self { return true }
    return !attributes.isDisjoint(with: ["master", "state", "kind"])
  }
}
