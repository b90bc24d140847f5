internal import CNetlink

/// What the kernel says of a tun or tap device. Netlink cannot make one (`ip tuntap` uses /dev/net/tun).
public struct Tun: Hashable, Sendable {
  /// Whether it carries Ethernet frames (tap) rather than IP packets (tun).
  public var isTap = false
  /// Whether it stays when no process holds it.
  public var isPersistent = false
  /// The user who may attach to it.
  public var owner: UInt32?

  init() {}

  init(decoding data: RawSpan) {
    data.forEachAttribute { type, value in
      switch type {
      case IFLA_TUN_TYPE: isTap = value.integer(as: UInt8.self).map(Int32.init) == IFF_TAP
      case IFLA_TUN_PERSIST: isPersistent = value.flag ?? false
      case IFLA_TUN_OWNER: owner = value.integer()
      default: break
      }
    }
  }
}
