internal import CNetlink
public import Values

/// What makes a link a VXLAN tunnel (`ip link … type vxlan id … local … dstport …`).
public struct VXLAN: Hashable, Sendable {
  /// The VNI.
  public var id: UInt32
  /// The source address of tunnel packets.
  public var local: IPAddress?
  /// Where frames to unknown addresses go: a host, or a multicast group.
  public var remote: IPAddress?
  /// The link below (`dev`).
  public var link: Int32?
  /// The UDP port; the kernel's own default is 8472, the standard's 4789.
  public var destinationPort: UInt16?
  /// Whether sources of received frames are learnt.
  public var learning: Bool?
  /// The TTL of tunnel packets; 0 copies that of the inner packet's kind.
  public var ttl: UInt8?

  public init(
    id: UInt32, local: IPAddress? = nil, remote: IPAddress? = nil, link: Int32? = nil,
    destinationPort: UInt16? = nil, learning: Bool? = nil, ttl: UInt8? = nil
  ) {
    self.id = id
    self.local = local
    self.remote = remote
    self.link = link
    self.destinationPort = destinationPort
    self.learning = learning
    self.ttl = ttl
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.attribute(IFLA_VXLAN_ID, id)
    buffer.attribute(local?.family == .ipv6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL, local)
    buffer.attribute(remote?.family == .ipv6 ? IFLA_VXLAN_GROUP6 : IFLA_VXLAN_GROUP, remote)
    buffer.attribute(IFLA_VXLAN_LINK, link)
    buffer.attribute(IFLA_VXLAN_PORT, destinationPort?.bigEndian)
    buffer.attribute(IFLA_VXLAN_LEARNING, learning)
    buffer.attribute(IFLA_VXLAN_TTL, ttl)
  }

  init(decoding data: RawSpan) {
    self.init(id: 0)
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_VXLAN_ID: id = value.integer() ?? id
      case IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6: local = value.ipAddress
      case IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6: remote = value.ipAddress
      case IFLA_VXLAN_LINK: link = value.integer()
      case IFLA_VXLAN_PORT: destinationPort = value.bigEndian()
      case IFLA_VXLAN_LEARNING: learning = value.flag
      case IFLA_VXLAN_TTL: ttl = value.integer()
      default: break
      }
    }
  }
}
