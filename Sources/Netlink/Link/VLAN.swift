internal import CNetlink

/// What makes a link a VLAN subinterface (`ip link … type vlan id … protocol …`).
public struct VLAN: Hashable, Sendable {
  /// 802.1Q.
  public static let customer: UInt16 = 0x8100
  /// 802.1ad.
  public static let service: UInt16 = 0x88a8

  /// The tag: 0…4095, of which the kernel accepts 0…4094.
  public var id: UInt16
  /// The EtherType of the tag: ``customer`` or ``service``.
  public var protocolNumber: UInt16

  public init(id: UInt16, protocolNumber: UInt16 = VLAN.customer) {
    self.id = id
    self.protocolNumber = protocolNumber
  }

  func encode(to buffer: inout MessageBuffer) {
    buffer.attribute(IFLA_VLAN_ID, id)
    buffer.attribute(IFLA_VLAN_PROTOCOL, protocolNumber.bigEndian)
  }

  init(decoding data: RawSpan) {
    self.init(id: 0)
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_VLAN_ID: id = value.integer() ?? id
      case IFLA_VLAN_PROTOCOL: protocolNumber = value.bigEndian() ?? protocolNumber
      default: break
      }
    }
  }
}
