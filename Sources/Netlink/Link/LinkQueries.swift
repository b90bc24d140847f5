internal import CNetlink

extension Connection {
  /// The links of the connection's namespace (`ip link show`), of one kind or with one master if given, chosen
  /// by the kernel; with counters only if asked for, so that equal links are equal.
  public func links(
    ofKind kind: String? = nil, master: Int32? = nil, withStatistics: Bool = false
  ) throws(NetlinkError) -> [Link] {
    try dump(RTM_GETLINK, reply: RTM_NEWLINK) { buffer in
      buffer.linkHeader()
      buffer.linkFilter(withStatistics: withStatistics)
      buffer.attribute(IFLA_MASTER, master)
      if let kind { buffer.nest(IFLA_LINKINFO) { $0.attribute(IFLA_INFO_KIND, kind) } }
    } decode: {
      let link = Link(decoding: $0, withStatistics: withStatistics)
      // A kernel that does not know the kind, say before the module is loaded, does not filter.
      return kind == nil || link?.kind?.name == kind ? link : nil
    }
  }

  /// The link with an ifindex; ENODEV if there is none.
  public func link(_ index: Int32, withStatistics: Bool = false) throws(NetlinkError) -> Link {
    try link(withStatistics) { buffer in
      buffer.linkHeader(index: index)
      buffer.linkFilter(withStatistics: withStatistics)
    }
  }

  /// The link with a name or alternative name; ENODEV if there is none.
  public func link(named name: String, withStatistics: Bool = false) throws(NetlinkError) -> Link {
    try link(withStatistics) { buffer in
      buffer.linkHeader()
      buffer.linkFilter(withStatistics: withStatistics)
      buffer.attribute(IFLA_ALT_IFNAME, name)  // finds names of both kinds
    }
  }

  private func link(
    _ withStatistics: Bool, _ request: (inout MessageBuffer) -> Void
  ) throws(NetlinkError) -> Link {
    try get(RTM_GETLINK, reply: RTM_NEWLINK, request: request) {
      Link(decoding: $0, withStatistics: withStatistics)
    }
  }
}

extension MessageBuffer {
  fileprivate mutating func linkFilter(withStatistics: Bool) {
    attribute(IFLA_EXT_MASK, UInt32(withStatistics ? 0 : RTEXT_FILTER_SKIP_STATS))
  }
}
