internal import CNetlink
internal import Glibc

/// Tells when a link of a namespace changes (`ip monitor link`).
public struct LinkMonitor: ~Copyable {
  private let socket: Socket

  /// Listens from now on: what changes before the first wait is not missed.
  public init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
    let socket = try Socket(in: namespace.rawDescriptor)
    try socket.join(CInt(RTNLGRP_LINK.rawValue))
    self.socket = socket
  }

  /// Waits until some link has changed since the last wait, or `limit` milliseconds have passed; false then.
  ///
  /// More changes than the socket holds count as one: the caller looks at the links anyway.
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
