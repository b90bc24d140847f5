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

  /// Receives what the kernel has sent, waiting for it at most so many milliseconds (EAGAIN then); hands each datagram to
  /// `body`, which must not receive.
  ///
  /// The kernel answers at once: the limit only keeps a lost answer from blocking for ever.
  func receive(within milliseconds: Int = 10_000, _ body: (RawSpan) -> Void) throws(NetlinkError) {
    var datagrams: InlineArray<4, cnl_datagram> = unsafe .init(repeating: cnl_datagram())
    var span = unsafe datagrams.mutableSpan
    let count = unsafe span.withUnsafeMutableBufferPointer {
      unsafe cnl_receive(raw, CInt(clamping: milliseconds), $0.baseAddress, CInt($0.count))
    }
    guard count >= 0 else { throw Self.receiveError(errno) }
    for index in 0..<Int(count) {
      let datagram = unsafe datagrams[index]
      body(unsafe RawSpan(_unsafeStart: datagram.bytes, byteCount: datagram.size))
    }
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
      case EAGAIN: "the kernel did not answer in time"
      case EMSGSIZE: "an answer was longer than 64 KB"
      default: nil
      }
    return NetlinkError(operation: "receive netlink answers", code: code, advice: advice)
  }

  /// Subscribes to a multicast group, RTNLGRP_….
  func join(_ group: CInt) throws(NetlinkError) {
    var group = group
    // Many may come before they are read; where four megabytes are not permitted, what the system allows.
    enlargeReceiveBuffer()
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
