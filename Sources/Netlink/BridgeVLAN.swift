internal import CNetlink
internal import Glibc

/// A VLAN, or a range of them, that a bridge's port lets through (`bridge vlan`).
public struct BridgeVLAN: Hashable, Sendable {
  /// 1…4094.
  public var first: UInt16
  /// The end of a range; the same as ``first`` for one VLAN.
  public var last: UInt16
  /// Whether untagged frames coming in get this tag (`pvid`).
  public var isPVID: Bool
  /// Whether frames leave without the tag (`untagged`).
  public var isUntagged: Bool

  public init(_ id: UInt16, isPVID: Bool = false, isUntagged: Bool = false) {
    self.init(id...id, isPVID: isPVID, isUntagged: isUntagged)
  }

  public init(_ range: ClosedRange<UInt16>, isPVID: Bool = false, isUntagged: Bool = false) {
    first = range.lowerBound
    last = range.upperBound
    self.isPVID = isPVID
    self.isUntagged = isUntagged
  }

  /// Appends `bridge_vlan_info` once, or twice for a range.
  func encode(to buffer: inout MessageBuffer) {
    let flags = (isPVID ? BRIDGE_VLAN_INFO_PVID : 0) | (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0)
    if first == last {
      buffer.vlanInfo(flags: flags, id: first)
    } else {
      buffer.vlanInfo(flags: flags | BRIDGE_VLAN_INFO_RANGE_BEGIN, id: first)
      buffer.vlanInfo(flags: flags | BRIDGE_VLAN_INFO_RANGE_END, id: last)
    }
  }
}

/// The VLANs of a bridge's port, or of the bridge itself.
public struct PortVLANs: Hashable, Sendable {
  /// The ifindex of the port, or of the bridge.
  public var link: Int32
  /// One element for each VLAN, in ascending order.
  public var vlans: [BridgeVLAN] = []

  /// Reads `ifinfomsg` and its attributes; nil if there is nothing about VLANs.
  init?(decoding message: RawSpan) {
    guard let link = message.integer(at: 4, as: Int32.self) else { return nil }
    self.link = link
    message.forEachAttribute(from: 16) { type, value in
      if type == IFLA_AF_SPEC { decode(value) }
    }
    if vlans.isEmpty { return nil }
  }

  private mutating func decode(_ bridge: RawSpan) {
    var rangeStart: UInt16?
    bridge.forEachAttribute { type, info in
      guard type == IFLA_BRIDGE_VLAN_INFO, let flags = info.integer(as: UInt16.self).map(CInt.init),
        let id = info.integer(at: 2, as: UInt16.self), id < 4096, vlans.count < 4096
      else { return }
      if flags & BRIDGE_VLAN_INFO_RANGE_BEGIN != 0 {
        rangeStart = id
        return
      }
      let start = flags & BRIDGE_VLAN_INFO_RANGE_END != 0 ? rangeStart ?? id : id
      rangeStart = nil
      for id in min(start, id)...id {
        vlans.append(
          BridgeVLAN(
            id, isPVID: flags & BRIDGE_VLAN_INFO_PVID != 0, isUntagged: flags & BRIDGE_VLAN_INFO_UNTAGGED != 0
          ))
      }
    }
  }
}

extension Batch {
  /// Lets VLANs through a port; on the bridge itself with `onBridge`
  /// (`bridge vlan add dev … vid … [pvid] [untagged] [self]`). What is there already gets the new flags.
  public mutating func addBridgeVLAN(_ vlan: BridgeVLAN, toPort index: Int32, onBridge: Bool = false) {
    append(RTM_SETLINK) { $0.bridgeVLAN(vlan, port: index, onBridge: onBridge) }
  }

  /// Lets VLANs through a port no longer (`bridge vlan delete …`).
  public mutating func deleteBridgeVLAN(_ vlan: BridgeVLAN, fromPort index: Int32, onBridge: Bool = false) {
    append(RTM_DELLINK) { $0.bridgeVLAN(vlan, port: index, onBridge: onBridge) }
  }
}

extension Connection {
  /// The VLANs of all ports and bridges that have any (`bridge vlan show`).
  public func bridgeVLANs() throws(NetlinkError) -> [PortVLANs] {
    try dump(RTM_GETLINK, reply: RTM_NEWLINK) { buffer in
      buffer.linkHeader(family: AF_BRIDGE)
      buffer.attribute(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_BRVLAN_COMPRESSED))
    } decode: {
      PortVLANs(decoding: $0)
    }
  }
}

extension MessageBuffer {
  fileprivate mutating func vlanInfo(flags: CInt, id: UInt16) {
    // Two fields of 16 bits, of which the low half comes first.
    attribute(IFLA_BRIDGE_VLAN_INFO, UInt32(id) << 16 | UInt32(flags))
  }

  fileprivate mutating func bridgeVLAN(_ vlan: BridgeVLAN, port: Int32, onBridge: Bool) {
    linkHeader(family: AF_BRIDGE, index: port)
    nest(IFLA_AF_SPEC, flagged: true) { spec in
      if onBridge { spec.attribute(IFLA_BRIDGE_FLAGS, UInt16(BRIDGE_FLAGS_SELF)) }
      vlan.encode(to: &spec)
    }
  }
}
