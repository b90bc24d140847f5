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

  /// The links with these ifindexes, each asked for by itself; ENODEV if there is no such one.
  ///
  /// Since Linux 6.8 such a question, unlike a list of all, makes the kernel catch up with the link's carrier.
  public func links(_ indices: [Int32]) throws(NetlinkError) -> [Link] {
    try get(RTM_GETLINK, reply: RTM_NEWLINK, requests: indices.count) { buffer, position in
      buffer.linkHeader(index: indices[position])
      buffer.linkFilter(withStatistics: false)
    } decode: {
      Link(decoding: $0)
    }
  }

  /// The link with an ifindex; ENODEV if there is none.
  public func link(_ index: Int32) throws(NetlinkError) -> Link { try links([index])[0] }

  /// The link with a name or alternative name; ENODEV if there is none.
  public func link(named name: String, withStatistics: Bool = false) throws(NetlinkError) -> Link {
    try get(RTM_GETLINK, reply: RTM_NEWLINK) { buffer in
      buffer.linkHeader()
      buffer.linkFilter(withStatistics: withStatistics)
      buffer.attribute(IFLA_ALT_IFNAME, name)  // finds names of both kinds
    } decode: {
      Link(decoding: $0, withStatistics: withStatistics)
    }
  }
}

extension MessageBuffer {
  fileprivate mutating func linkFilter(withStatistics: Bool) {
    attribute(IFLA_EXT_MASK, UInt32(withStatistics ? 0 : RTEXT_FILTER_SKIP_STATS))
  }
}
