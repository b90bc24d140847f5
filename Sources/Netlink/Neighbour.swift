internal import CNetlink
internal import Glibc
public import Values

/// What the kernel knows of a neighbour's address (NUD_…).
public struct NeighbourState: OptionSet, Hashable, Sendable {
  public var rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let incomplete = NeighbourState(rawValue: 0x01)
  public static let reachable = NeighbourState(rawValue: 0x02)
  public static let stale = NeighbourState(rawValue: 0x04)
  public static let delay = NeighbourState(rawValue: 0x08)
  public static let probe = NeighbourState(rawValue: 0x10)
  public static let failed = NeighbourState(rawValue: 0x20)
  public static let noARP = NeighbourState(rawValue: 0x40)
  public static let permanent = NeighbourState(rawValue: 0x80)
}

extension NeighbourState: CustomStringConvertible {
  /// As `ip neighbour` writes it: `REACHABLE`.
  public var description: String {
    let words: [(Self, String)] = [
      (.incomplete, "INCOMPLETE"), (.reachable, "REACHABLE"), (.stale, "STALE"), (.delay, "DELAY"),
      (.probe, "PROBE"), (.failed, "FAILED"), (.noARP, "NOARP"), (.permanent, "PERMANENT"),
    ]
    return isEmpty ? "NONE" : words.filter { contains($0.0) }.map(\.1).joined(separator: ",")
  }
}

/// The flags of a neighbour or forwarding entry (NTF_…).
public struct NeighbourFlags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let use = NeighbourFlags(rawValue: 0x01)
  /// The entry is in the device's own table.
  public static let own = NeighbourFlags(rawValue: 0x02)
  /// The entry is in the table of the device's master.
  public static let master = NeighbourFlags(rawValue: 0x04)
  public static let proxy = NeighbourFlags(rawValue: 0x08)
  public static let externallyLearned = NeighbourFlags(rawValue: 0x10)
  public static let offloaded = NeighbourFlags(rawValue: 0x20)
  public static let sticky = NeighbourFlags(rawValue: 0x40)
  public static let router = NeighbourFlags(rawValue: 0x80)
}

/// An entry of the neighbour table (`ip neighbour`).
public struct Neighbour: Hashable, Sendable {
  /// The ifindex of the link.
  public var link: Int32
  public var address: IPAddress
  /// nil if not known yet.
  public var linkLayerAddress: MACAddress?
  public var state: NeighbourState
  public var flags: NeighbourFlags

  public init(
    link: Int32, address: IPAddress, linkLayerAddress: MACAddress? = nil, state: NeighbourState = .permanent,
    flags: NeighbourFlags = []
  ) {
    self.link = link
    self.address = address
    self.linkLayerAddress = linkLayerAddress
    self.state = state
    self.flags = flags
  }

  init?(decoding message: RawSpan) {
    guard let header = NeighbourHeader(message), [AF_INET, AF_INET6].contains(header.family) else {
      return nil
    }
    var address: IPAddress?
    var linkLayerAddress: MACAddress?
    message.forEachAttribute(from: NeighbourHeader.length) { type, value in
      switch type {
      case NDA_DST: address = value.ipAddress
      case NDA_LLADDR: linkLayerAddress = value.macAddress
      default: break
      }
    }
    guard let address else { return nil }
    self.init(
      link: header.link, address: address, linkLayerAddress: linkLayerAddress, state: header.state,
      flags: header.flags)
  }

  func encode(to buffer: inout MessageBuffer) {
    NeighbourHeader(family: CInt(address.family.number), link: link, state: state, flags: flags)
      .encode(to: &buffer)
    buffer.attribute(NDA_DST, address)
    buffer.attribute(NDA_LLADDR, linkLayerAddress)
  }
}

/// `ndmsg`.
struct NeighbourHeader {
  static let length = 12
  var family: CInt
  var link: Int32
  var state: NeighbourState
  var flags: NeighbourFlags

  init(family: CInt, link: Int32 = 0, state: NeighbourState = [], flags: NeighbourFlags = []) {
    self.family = family
    self.link = link
    self.state = state
    self.flags = flags
  }

  init?(_ message: RawSpan) {
    guard message.byteCount >= Self.length, let family = message.integer(as: UInt8.self),
      let link = message.integer(at: 4, as: Int32.self), let state = message.integer(at: 8, as: UInt16.self),
      let flags = message.integer(at: 10, as: UInt8.self)
    else { return nil }
    self.init(
      family: CInt(family), link: link, state: NeighbourState(rawValue: state),
      flags: NeighbourFlags(rawValue: flags))
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.field(UInt32(truncatingIfNeeded: family))
    buffer.field(link)
    buffer.field(state.rawValue)
    buffer.field(flags.rawValue)
    buffer.field(UInt8(0))
  }
}

extension Batch {
  /// Adds a neighbour; EEXIST if it is there (`ip neighbour add …`).
  public mutating func addNeighbour(_ neighbour: Neighbour) {
    append(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_EXCL) { neighbour.encode(to: &$0) }
  }

  /// Deletes a neighbour; ENOENT if there is none such (`ip neighbour delete …`).
  public mutating func deleteNeighbour(_ neighbour: Neighbour) {
    append(RTM_DELNEIGH) { neighbour.encode(to: &$0) }
  }
}

extension Connection {
  /// The neighbours on all links, or on one, in every state (`ip neighbour show nud all`).
  public func neighbours(onLink index: Int32? = nil) throws(NetlinkError) -> [Neighbour] {
    try dump(RTM_GETNEIGH, reply: RTM_NEWNEIGH) { buffer in
      NeighbourHeader(family: AF_UNSPEC).encode(to: &buffer)
      buffer.attribute(NDA_IFINDEX, index)
    } decode: {
      Neighbour(decoding: $0)
    }
  }
}
