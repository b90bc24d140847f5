internal import CNetlink

/// A link's IPv4 settings (`net.ipv4.conf.NAME.…`).
public struct IPv4Settings: Hashable, Sendable {
  public var forwarding: UInt32 = 0
  public var proxyARP: UInt32 = 0
  public var acceptRedirects: UInt32 = 0
  public var sendRedirects: UInt32 = 0
  /// `rp_filter`: 0 off, 1 strict, 2 loose.
  public var reversePathFilter: UInt32 = 0
  public var arpFilter: UInt32 = 0
  public var arpAnnounce: UInt32 = 0
  public var arpIgnore: UInt32 = 0
  public var arpAccept: UInt32 = 0

  /// Reads IFLA_INET_CONF: values whose places are IPV4_DEVCONF_…, counted from 1.
  init(decoding values: RawSpan) {
    func value(_ place: Int) -> UInt32 { values.integer(at: (place - 1) * 4) ?? 0 }
    forwarding = value(IPV4_DEVCONF_FORWARDING)
    proxyARP = value(IPV4_DEVCONF_PROXY_ARP)
    acceptRedirects = value(IPV4_DEVCONF_ACCEPT_REDIRECTS)
    sendRedirects = value(IPV4_DEVCONF_SEND_REDIRECTS)
    reversePathFilter = value(IPV4_DEVCONF_RP_FILTER)
    arpFilter = value(IPV4_DEVCONF_ARPFILTER)
    arpAnnounce = value(IPV4_DEVCONF_ARP_ANNOUNCE)
    arpIgnore = value(IPV4_DEVCONF_ARP_IGNORE)
    arpAccept = value(IPV4_DEVCONF_ARP_ACCEPT)
  }
}

/// A link's IPv6 settings (`net.ipv6.conf.NAME.…`).
public struct IPv6Settings: Hashable, Sendable {
  public var forwarding: Int32 = 0
  /// `disable_ipv6`.
  public var isDisabled: Bool = false
  /// `accept_ra`: 0 no, 1 unless forwarding, 2 always.
  public var acceptRouterAdvertisements: Int32 = 0
  /// `accept_dad`: 0 no duplicate detection.
  public var acceptDuplicateDetection: Int32 = 0
  public var autoconfiguration: Int32 = 0

  /// Reads IFLA_INET6_CONF: values whose places are DEVCONF_…, counted from 0.
  init(decoding values: RawSpan) {
    func value(_ place: Int) -> Int32 { values.integer(at: place * 4) ?? 0 }
    forwarding = value(DEVCONF_FORWARDING)
    isDisabled = value(DEVCONF_DISABLE_IPV6) != 0
    acceptRouterAdvertisements = value(DEVCONF_ACCEPT_RA)
    acceptDuplicateDetection = value(DEVCONF_ACCEPT_DAD)
    autoconfiguration = value(DEVCONF_AUTOCONF)
  }
}
