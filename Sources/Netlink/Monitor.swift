internal import CNetlink
internal import Glibc

/// Tells when something in a namespace changes (`ip monitor`).
public struct Monitor: ~Copyable {
  /// What is listened for.
  public enum Subject: Sendable {
    /// `ip monitor link`
    case links
    /// IPv6 addresses, also when the kernel has finished what it does with a new one (`ip -6 monitor address`).
    case ipv6Addresses

    fileprivate var group: rtnetlink_groups {
      switch self {
      case .links: RTNLGRP_LINK
      case .ipv6Addresses: RTNLGRP_IPV6_IFADDR
      }
    }
  }

  private let socket: Socket

  /// Listens from now on: what changes before the first wait is not missed.
  public init(of subject: Subject, in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
    let socket = try Socket(in: namespace.rawDescriptor)
    try socket.join(CInt(subject.group.rawValue))
    self.socket = socket
  }

  /// Waits until something has changed since the last wait, or `limit` milliseconds have passed; false then.
  ///
  /// More changes than the socket holds count as one: the caller looks at what there is anyway.
  public func waitForChange(milliseconds limit: Int) throws(NetlinkError) -> Bool {
    guard limit > 0 else { return false }
    do {
      try socket.receive(within: limit) { _ in }
    } catch {
      if error.code == EAGAIN { return false }
      if error.code != ENOBUFS { throw error }
    }
    socket.discardReceived()
    return true
  }
}
