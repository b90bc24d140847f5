internal import CNetlink

extension Connection {
  /// The number by which the connection's namespace knows another one (``Link/parentNamespaceID``), or nil if
  /// it has none (`ip netns list-id`).
  public func namespaceID(of namespace: borrowing NetworkNamespace) throws(NetlinkError) -> Int32? {
    let descriptor = namespace.rawDescriptor
    let id = try get(RTM_GETNSID, reply: RTM_NEWNSID) { buffer in
      buffer.namespace(descriptor)
    } decode: { message in
      var id: Int32?
      message.forEachAttribute(from: 4) { type, value in
        if type == NETNSA_NSID { id = value.integer() }
      }
      return id
    }
    return id >= 0 ? id : nil
  }
}

extension Batch {
  /// Gives a namespace a number in the connection's namespace, chosen by the kernel; EEXIST if it has one
  /// (`ip netns set NAME auto`).
  public mutating func assignID(to namespace: borrowing NetworkNamespace) {
    let descriptor = namespace.rawDescriptor
    append(RTM_NEWNSID) { buffer in
      buffer.namespace(descriptor)
      buffer.attribute(NETNSA_NSID, Int32(-1))
    }
  }
}

extension MessageBuffer {
  /// `rtgenmsg`, and the namespace meant.
  fileprivate mutating func namespace(_ descriptor: CInt) {
    field(UInt32(0))
    attribute(NETNSA_FD, descriptor)
  }
}
