internal import CNetlink
public import Values

/// A link to be created: one request, `ip link add …`.
///
/// An alias, altnames and options of a bridge port cannot be given at creation: the kernel ignores them.
public struct NewLink: Hashable, Sendable {
  /// What the link is.
  public enum Kind: Hashable, Sendable {
    /// A cable of two ends; this link is one, `peer` the other.
    case veth(peer: Peer)
    case bridge(BridgeOptions)
    /// A VLAN subinterface of the link whose index is `parent`.
    case vlan(VLAN, parent: Int32)
    case vxlan(VXLAN)
    case dummy

    var name: String {
      switch self {
      case .veth: "veth"
      case .bridge: "bridge"
      case .vlan: "vlan"
      case .vxlan: "vxlan"
      case .dummy: "dummy"
      }
    }
  }

  /// The other end of a veth. It cannot be created up or enslaved: do that with a second request.
  public struct Peer: Hashable, Sendable {
    public var name: String?
    /// The descriptor of the namespace it is created in; nil: that of the request's connection.
    public var namespace: CInt?
    /// A chosen ifindex; honoured only if the other end's is chosen too.
    public var index: Int32?
    public var address: MACAddress?
    public var mtu: UInt32?
    public var group: UInt32?
    public var transmitQueueLength: UInt32?
    /// See ``NewLink/queues``.
    public var queues: UInt32?

    public init(
      name: String? = nil, namespace: CInt? = nil, index: Int32? = nil, address: MACAddress? = nil,
      mtu: UInt32? = nil, group: UInt32? = nil, transmitQueueLength: UInt32? = nil, queues: UInt32? = nil
    ) {
      self.name = name
      self.namespace = namespace
      self.index = index
      self.address = address
      self.mtu = mtu
      self.group = group
      self.transmitQueueLength = transmitQueueLength
      self.queues = queues
    }
  }

  public var kind: Kind
  public var name: String
  /// The descriptor of the namespace it is created in; nil: that of the request's connection.
  public var namespace: CInt?
  /// A chosen ifindex; nil lets the kernel choose.
  public var index: Int32?
  public var address: MACAddress?
  public var mtu: UInt32?
  public var group: UInt32?
  /// The ifindex of the bridge it becomes a port of.
  public var master: Int32?
  public var isUp: Bool
  public var isPromiscuous: Bool
  public var transmitQueueLength: UInt32?
  /// How many queues it has in each direction (`numtxqueues`, `numrxqueues`); nil: what the kernel thinks best.
  ///
  /// For a veth that is one for each processor, of which it then switches off all but one, and waits for each cable until
  /// no processor uses those. Asking for one at once saves that: 43 ms became 30 ms for a hundred cables.
  public var queues: UInt32?

  public init(
    _ kind: Kind, name: String, namespace: CInt? = nil, index: Int32? = nil, address: MACAddress? = nil,
    mtu: UInt32? = nil, group: UInt32? = nil, master: Int32? = nil, isUp: Bool = false,
    isPromiscuous: Bool = false, transmitQueueLength: UInt32? = nil, queues: UInt32? = nil
  ) {
    self.kind = kind
    self.name = name
    self.namespace = namespace
    self.index = index
    self.address = address
    self.mtu = mtu
    self.group = group
    self.master = master
    self.isUp = isUp
    self.isPromiscuous = isPromiscuous
    self.transmitQueueLength = transmitQueueLength
    self.queues = queues
  }
}

extension Batch {
  /// Creates a link; EEXIST if its name or index is taken (`ip link add …`).
  public mutating func createLink(_ link: NewLink) {
    append(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL) { buffer in
      var flags: LinkFlags = []
      if link.isUp { flags.insert(.up) }
      if link.isPromiscuous { flags.insert(.promiscuous) }
      buffer.linkHeader(index: link.index ?? 0, flags: flags, change: flags)
      buffer.attribute(IFLA_IFNAME, link.name)
      buffer.attribute(IFLA_NET_NS_FD, link.namespace)
      buffer.attribute(IFLA_ADDRESS, link.address)
      buffer.attribute(IFLA_MTU, link.mtu)
      buffer.attribute(IFLA_GROUP, link.group)
      buffer.attribute(IFLA_MASTER, link.master)
      buffer.attribute(IFLA_TXQLEN, link.transmitQueueLength)
      buffer.attribute(IFLA_NUM_TX_QUEUES, link.queues)
      buffer.attribute(IFLA_NUM_RX_QUEUES, link.queues)
      if case .vlan(_, let parent) = link.kind { buffer.attribute(IFLA_LINK, parent) }
      buffer.nest(IFLA_LINKINFO) { info in
        info.attribute(IFLA_INFO_KIND, link.kind.name)
        if link.kind == .dummy { return }
        info.nest(IFLA_INFO_DATA) { link.kind.encodeData(to: &$0) }
      }
    }
  }
}

extension NewLink.Kind {
  func encodeData(to buffer: inout MessageBuffer) {
    switch self {
    case .veth(let peer): buffer.nest(VETH_INFO_PEER) { peer.encode(to: &$0) }
    case .bridge(let options): options.encode(to: &buffer)
    case .vlan(let vlan, _): vlan.encode(to: &buffer)
    case .vxlan(let vxlan): vxlan.encode(to: &buffer)
    case .dummy: break
    }
  }
}

extension NewLink.Peer {
  func encode(to buffer: inout MessageBuffer) {
    buffer.linkHeader(index: index ?? 0)
    buffer.attribute(IFLA_IFNAME, name)
    buffer.attribute(IFLA_NET_NS_FD, namespace)
    buffer.attribute(IFLA_ADDRESS, address)
    buffer.attribute(IFLA_MTU, mtu)
    buffer.attribute(IFLA_GROUP, group)
    buffer.attribute(IFLA_TXQLEN, transmitQueueLength)
    buffer.attribute(IFLA_NUM_TX_QUEUES, queues)
    buffer.attribute(IFLA_NUM_RX_QUEUES, queues)
  }
}

extension MessageBuffer {
  /// `ifinfomsg`. Only the flags in `change` are touched: all of them would clear MULTICAST and more.
  mutating func linkHeader(
    family: CInt = 0, index: Int32 = 0, flags: LinkFlags = [], change: LinkFlags = []
  ) {
    field(UInt8(truncatingIfNeeded: family))
    field(UInt8(0))
    field(UInt16(0))
    field(index)
    field(flags.rawValue)
    field(change.rawValue)
  }
}
