internal import CNetlink
internal import Glibc
public import Values

/// An entry of a bridge's (or a VXLAN's) forwarding database (`bridge fdb`).
public struct ForwardingEntry: Hashable, Sendable {
  /// The ifindex of the port (or of the bridge itself).
  public var link: Int32
  public var address: MACAddress
  public var vlan: UInt16?
  /// ``NeighbourState/permanent``: the address is the bridge's own, frames go up (`local`).
  /// ``NeighbourState/noARP``: fixed (`static`). ``NeighbourState/reachable``: ages (`dynamic`).
  public var state: NeighbourState
  /// ``NeighbourFlags/master``: in the database of the port's bridge. ``NeighbourFlags/own``: in the link's own.
  public var flags: NeighbourFlags
  /// The ifindex of the bridge, as read back; not used in adding.
  public var master: Int32?
  /// The host that frames are tunnelled to (VXLAN).
  public var tunnelDestination: IPAddress?

  public init(
    link: Int32, address: MACAddress, vlan: UInt16? = nil, state: NeighbourState = .noARP,
    flags: NeighbourFlags = .master, tunnelDestination: IPAddress? = nil
  ) {
    self.link = link
    self.address = address
    self.vlan = vlan
    self.state = state
    self.flags = flags
    self.tunnelDestination = tunnelDestination
  }

  /// Whether it leads to the bridge itself and not to a port, as read back.
  public var isOfBridge: Bool { master == link }

  init?(decoding message: RawSpan) {
    guard let header = NeighbourHeader(message), header.family == AF_BRIDGE else { return nil }
    var address: MACAddress?
    var vlan: UInt16?
    var master: Int32?
    var tunnelDestination: IPAddress?
    message.forEachAttribute(from: NeighbourHeader.length) { type, value in
      switch type {
      case NDA_LLADDR: address = value.macAddress
      case NDA_VLAN: vlan = value.integer()
      case NDA_MASTER: master = value.integer()
      case NDA_DST: tunnelDestination = value.ipAddress
      default: break
      }
    }
    guard let address else { return nil }
    self.init(
      link: header.link, address: address, vlan: vlan, state: header.state, flags: header.flags,
      tunnelDestination: tunnelDestination)
    self.master = master
  }

  func encode(to buffer: inout MessageBuffer) {
    NeighbourHeader(family: AF_BRIDGE, link: link, state: state, flags: flags).encode(to: &buffer)
    buffer.attribute(NDA_LLADDR, address)
    buffer.attribute(NDA_VLAN, vlan)
    buffer.attribute(NDA_DST, tunnelDestination)
  }
}

extension Batch {
  /// Adds a forwarding entry; EEXIST if it is there (`bridge fdb add …`).
  public mutating func addForwardingEntry(_ entry: ForwardingEntry) {
    append(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_EXCL) { entry.encode(to: &$0) }
  }

  /// Deletes a forwarding entry; ENOENT if there is none such (`bridge fdb delete …`).
  public mutating func deleteForwardingEntry(_ entry: ForwardingEntry) {
    append(RTM_DELNEIGH) { entry.encode(to: &$0) }
  }

  /// Deletes what a bridge has learnt, of all ports or of one, in all VLANs or in one; fixed entries stay
  /// (`bridge fdb flush dev BRIDGE …`). Linux 6.0 or newer.
  public mutating func flushForwardingEntries(ofBridge index: Int32, port: Int32? = nil, vlan: UInt16? = nil)
  {
    append(RTM_DELNEIGH, flags: NLM_F_BULK) { buffer in
      NeighbourHeader(family: AF_BRIDGE, link: index, flags: .own).encode(to: &buffer)
      buffer.attribute(NDA_IFINDEX, port)
      buffer.attribute(NDA_VLAN, vlan)
      // Of the states, the two that mean "fixed" are looked at, and both must be off.
      buffer.attribute(NDA_NDM_STATE_MASK, NeighbourState([.permanent, .noARP]).rawValue)
    }
  }
}

extension Connection {
  /// The forwarding entries of all links, or of one bridge's ports (`bridge fdb show br …`).
  public func forwardingEntries(ofBridge index: Int32? = nil) throws(NetlinkError) -> [ForwardingEntry] {
    try dump(RTM_GETNEIGH, reply: RTM_NEWNEIGH) { buffer in
      NeighbourHeader(family: AF_BRIDGE).encode(to: &buffer)
      buffer.attribute(NDA_MASTER, index)
    } decode: {
      ForwardingEntry(decoding: $0)
    }
  }
}
