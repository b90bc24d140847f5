import LabKit

/// A VLAN that a bridge port is a member of: `bridge vlan add dev DEVICE vid VID …`.
package struct BridgeVLAN: Hashable, Sendable {
  package var namespace: String
  /// The name of the port, or of the bridge.
  package var device: String
  package var vid: Int
  /// Untagged frames that come in belong to this VLAN.
  package var isPVID: Bool
  /// Frames of this VLAN go out without a tag.
  package var isUntagged: Bool
  /// Whether the device is the bridge itself, and not one of its ports.
  package var isOnBridge = false
  package var origin: SourceLocation?

  package init(
    namespace: String, device: String, vid: Int, isPVID: Bool, isUntagged: Bool, origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.device = device
    self.vid = vid
    self.isPVID = isPVID
    self.isUntagged = isUntagged
    self.origin = origin
  }

  /// As `bridge vlan show` writes it: `1 PVID Egress Untagged`.
  package var text: String { "\(vid)\(isPVID ? " PVID" : "")\(isUntagged ? " Egress Untagged" : "")" }
}

extension BridgeVLAN: SimpleResource {
  package var identity: OwnedKey<Int> { OwnedKey(namespace: namespace, device: device, value: vid) }
  package var owner: String? { device }
  package var description: String { "vlan \(vid) of \(device)" }
  package var label: String { "vlan \(text)" }
  package var wish: String { "VLAN \(text) on \(device)" }

  /// After the ports are members of their bridges, and before those come up.
  package static let added = Stage(after: Link.named)

  package func differences(from observed: BridgeVLAN) -> [AttributeDifference] {
    text == observed.text
      ? [] : [AttributeDifference(attribute: "flags", wanted: text, observed: observed.text)]
  }

  /// A port's VLANs go when it leaves its bridge.
  package func survives(_ removal: Removal) -> Bool {
    removal.leaves(namespace, device)
      && !removal.moved.contains(LinkKey(namespace: namespace, name: device))
  }

  package static var isChangedByAdding: Bool { true }

  package func command(_ verb: String) -> String {
    let flags = (isPVID ? " pvid" : "") + (isUntagged ? " untagged" : "")
    return "bridge -n \(namespace) vlan \(verb) dev \(device.shellQuoted) vid \(vid)"
      + (verb == "add" ? flags : "") + (isOnBridge ? " self" : "")
  }
}

extension Blueprint {
  package var vlans: [BridgeVLAN] {
    get { self[BridgeVLAN.self] }
    _modify { yield &self[BridgeVLAN.self] }
  }
}
