internal import CNetlink
internal import Glibc
public import Values

/// What to change of a link, in one request (`ip link set …`): nil leaves a property as it is.
public struct LinkChange: Hashable, Sendable {
  public var name: String?
  public var address: MACAddress?
  public var mtu: UInt32?
  public var isUp: Bool?
  public var isPromiscuous: Bool?
  /// The ifindex of the bridge to become a port of; 0 leaves the present one (`nomaster`).
  public var master: Int32?
  /// Up to 255 bytes; an empty one takes the alias away.
  public var alias: String?
  public var group: UInt32?
  public var transmitQueueLength: UInt32?
  /// The descriptor of the namespace to move to.
  public var namespace: CInt?
  /// New options, if the link is a bridge.
  public var bridge: BridgeOptions?

  public init(
    name: String? = nil, address: MACAddress? = nil, mtu: UInt32? = nil, isUp: Bool? = nil,
    isPromiscuous: Bool? = nil, master: Int32? = nil, alias: String? = nil, group: UInt32? = nil,
    transmitQueueLength: UInt32? = nil, namespace: CInt? = nil, bridge: BridgeOptions? = nil
  ) {
    self.name = name
    self.address = address
    self.mtu = mtu
    self.isUp = isUp
    self.isPromiscuous = isPromiscuous
    self.master = master
    self.alias = alias
    self.group = group
    self.transmitQueueLength = transmitQueueLength
    self.namespace = namespace
    self.bridge = bridge
  }
}

extension Batch {
  /// Changes a link; ENODEV if there is none with this index (`ip link set …`).
  public mutating func setLink(_ index: Int32, _ change: LinkChange) {
    append(RTM_NEWLINK) { buffer in
      var flags: LinkFlags = []
      var changed: LinkFlags = []
      for (flag, value) in [(LinkFlags.up, change.isUp), (.promiscuous, change.isPromiscuous)] {
        guard let value else { continue }
        changed.insert(flag)
        if value { flags.insert(flag) }
      }
      buffer.linkHeader(index: index, flags: flags, change: changed)
      buffer.attribute(IFLA_IFNAME, change.name)
      buffer.attribute(IFLA_NET_NS_FD, change.namespace)
      buffer.attribute(IFLA_ADDRESS, change.address)
      buffer.attribute(IFLA_MTU, change.mtu)
      buffer.attribute(IFLA_GROUP, change.group)
      buffer.attribute(IFLA_MASTER, change.master)
      buffer.attribute(IFLA_TXQLEN, change.transmitQueueLength)
      buffer.attribute(IFLA_IFALIAS, change.alias)
      if let bridge = change.bridge {
        buffer.nest(IFLA_LINKINFO) { info in
          info.attribute(IFLA_INFO_KIND, "bridge")
          info.nest(IFLA_INFO_DATA) { bridge.encode(to: &$0) }
        }
      }
    }
  }

  /// Deletes a link, and with a veth its other end (`ip link delete …`).
  public mutating func deleteLink(_ index: Int32) {
    append(RTM_DELLINK) { $0.linkHeader(index: index) }
  }

  /// Deletes all links of a group at once (`ip link delete group …`), much faster than one by one.
  public mutating func deleteLinks(inGroup group: UInt32) {
    append(RTM_DELLINK) { buffer in
      buffer.linkHeader()
      buffer.attribute(IFLA_GROUP, group)
    }
  }

  /// Adds an alternative name of up to 127 bytes (`ip link property add dev … altname …`).
  public mutating func addAlternativeName(_ name: String, toLink index: Int32) {
    append(RTM_NEWLINKPROP, flags: NLM_F_CREATE | NLM_F_EXCL) { $0.alternativeName(name, link: index) }
  }

  /// Takes an alternative name away (`ip link property del dev … altname …`).
  public mutating func deleteAlternativeName(_ name: String, fromLink index: Int32) {
    append(RTM_DELLINKPROP) { $0.alternativeName(name, link: index) }
  }
}

extension MessageBuffer {
  fileprivate mutating func alternativeName(_ name: String, link index: Int32) {
    linkHeader(index: index)
    nest(IFLA_PROP_LIST, flagged: true) { $0.attribute(IFLA_ALT_IFNAME, name) }
  }
}
