internal import CNetlink
internal import Glibc

/// Work that a link does for those who send by it, or seems to: between two ends of a veth it is just not done.
public enum Offload: String, CaseIterable, Sendable {
  case receiveChecksum = "rx"
  case transmitChecksum = "tx"
  case scatterGather = "sg"
  case tcpSegmentation = "tso"
  case genericSegmentation = "gso"

  fileprivate var commands: (get: Int32, set: Int32) {
    switch self {
    case .receiveChecksum: (ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM)
    case .transmitChecksum: (ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM)
    case .scatterGather: (ETHTOOL_GSG, ETHTOOL_SSG)
    case .tcpSegmentation: (ETHTOOL_GTSO, ETHTOOL_STSO)
    case .genericSegmentation: (ETHTOOL_GGSO, ETHTOOL_SGSO)
    }
  }
}

extension Connection {
  /// The offloads of a link that are on (`ethtool -k NAME`); ENODEV if there is none of that name.
  public func offloads(ofLink name: String) throws(NetlinkError) -> Set<Offload> {
    var found: Set<Offload> = []
    for offload in Offload.allCases
    where try socket.offload(UInt32(offload.commands.get), 0, ofLink: name) != 0 {
      found.insert(offload)
    }
    return found
  }

  /// Switches an offload on or off (`ethtool -K NAME …`).
  public func set(_ offload: Offload, _ isOn: Bool, ofLink name: String) throws(NetlinkError) {
    _ = try socket.offload(UInt32(offload.commands.set), isOn ? 1 : 0, ofLink: name)
  }
}
