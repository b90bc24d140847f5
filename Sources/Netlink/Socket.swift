internal import CMnl
internal import CNetlink
internal import Glibc

/// A routing socket (libmnl's), with the options that make its answers complete.
@safe struct Socket: ~Copyable {
  private let raw: OpaquePointer

  /// Takes over an open socket.
  init(adopting raw: OpaquePointer) throws(NetlinkError) {
    unsafe self.raw = raw
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] { try set(option) }
    // Four megabytes hold the errors of any batch; where that is not permitted, what the system allows.
    enlargeReceiveBuffer()
    // The kernel answers at once: this only keeps a lost answer from blocking for ever.
    try setPatience(milliseconds: 10_000)
  }

  /// Opens a socket in a namespace, or in the current one if it is nil.
  init(in namespace: CInt?) throws(NetlinkError) {
    guard let raw = unsafe cnl_open_socket(namespace ?? -1) else {
      throw NetlinkError(operation: "open a netlink socket", code: errno)
    }
    try unsafe self.init(adopting: raw)
  }

  deinit { unsafe mnl_socket_close(raw) }

  /// For what is no message.
  var descriptor: CInt { unsafe mnl_socket_get_fd(raw) }

  /// Sends messages as one datagram.
  func send(_ messages: ArraySlice<UInt8>) throws(NetlinkError) {
    while true {
      let sent = unsafe messages.withUnsafeBytes { unsafe mnl_socket_sendto(raw, $0.baseAddress, $0.count) }
      if sent >= 0 { return }
      if errno != EINTR { throw NetlinkError(operation: "send netlink requests", code: errno) }
    }
  }

  /// Receives one datagram from the kernel.
  func receive() throws(NetlinkError) -> [UInt8] {
    var failure: CInt = 0
    // The kernel fills at most 32 KB at a time, or one link with all its attributes.
    let datagram = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      let received = unsafe cnl_receive(raw, buffer.baseAddress, buffer.count)
      if received < 0 { failure = errno }
      count = max(received, 0)
    }
    if failure != 0 { throw Self.receiveError(failure) }
    return datagram
  }

  /// Forgets what has been received and not been read.
  func discardReceived() {
    var byte: UInt8 = 0
    while unsafe recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 || errno == ENOBUFS {}
  }

  private static func receiveError(_ code: CInt) -> NetlinkError {
    let advice: String? =
      switch code {
      case ENOBUFS: "answers were lost: the receive buffer is too small (see net.core.rmem_max)"
      case EAGAIN: "the kernel did not answer within 10 s"
      case EMSGSIZE: "an answer was longer than 64 KB"
      default: nil
      }
    return NetlinkError(operation: "receive netlink answers", code: code, advice: advice)
  }

  /// How long a receive waits before it fails with EAGAIN.
  func setPatience(milliseconds: Int) throws(NetlinkError) {
    var patience = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    let size = socklen_t(MemoryLayout<timeval>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size) == 0 else {
      throw NetlinkError(operation: "set the time limit of a netlink socket", code: errno)
    }
  }

  /// Subscribes to a multicast group, RTNLGRP_….
  func join(_ group: CInt) throws(NetlinkError) {
    var group = group
    let size = socklen_t(MemoryLayout<CInt>.size)
    // Sending does this by itself; who only listens has to.
    guard unsafe mnl_socket_bind(raw, 0, 0) == 0 else {
      throw NetlinkError(operation: "bind a netlink socket", code: errno)
    }
    guard unsafe mnl_socket_setsockopt(raw, NETLINK_ADD_MEMBERSHIP, &group, size) == 0 else {
      throw NetlinkError(operation: "subscribe to netlink group \(group)", code: errno)
    }
  }

  private func set(_ option: CInt) throws(NetlinkError) {
    var on: CInt = 1
    guard unsafe mnl_socket_setsockopt(raw, option, &on, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
      throw NetlinkError(operation: "set netlink socket option \(option)", code: errno)
    }
  }

  private func enlargeReceiveBuffer() {
    var size: CInt = 4 << 20
    for option in [SO_RCVBUFFORCE, SO_RCVBUF] {
      let length = socklen_t(MemoryLayout<CInt>.size)
      if unsafe setsockopt(descriptor, SOL_SOCKET, option, &size, length) == 0 { return }
    }
  }
}
