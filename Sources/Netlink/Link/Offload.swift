internal import CNetlink
internal import Glibc
internal import Synchronization

/// Work that a link does for those who send by it, or seems to: between two ends of a veth it is just not done.
///
/// They stand in an order in which each has what it needs.
public enum Offload: CaseIterable, Sendable {
  case transmitChecksum, receiveChecksum, scatterGather, tcpSegmentation, genericSegmentation

  fileprivate var command: Int32 {
    switch self {
    case .receiveChecksum: ETHTOOL_SRXCSUM
    case .transmitChecksum: ETHTOOL_STXCSUM
    case .scatterGather: ETHTOOL_SSG
    case .tcpSegmentation: ETHTOOL_STSO
    case .genericSegmentation: ETHTOOL_SGSO
    }
  }

  /// Whether it is made of the kernel's feature of a name.
  fileprivate func has(_ feature: String) -> Bool {
    switch self {
    case .receiveChecksum: feature == "rx-checksum"
    case .transmitChecksum: feature.hasPrefix("tx-checksum-")
    case .scatterGather: feature.hasPrefix("tx-scatter-gather")
    case .tcpSegmentation: feature.hasPrefix("tx-tcp")
    case .genericSegmentation: feature == "tx-generic-segmentation"
    }
  }
}

extension Connection {
  /// The kernel's features that each offload is made of, as masks of 32-bit words. Their numbers are each kernel's own.
  private static let masks = Mutex<[(offload: Offload, words: [UInt32])]?>(nil)

  private func masks(askingAbout link: String) throws(NetlinkError) -> [(offload: Offload, words: [UInt32])] {
    if let known = Self.masks.withLock({ $0 }) { return known }
    let names = try socket.featureNames(askingAbout: link)
    let masks = Offload.allCases.map { offload in
      var words = [UInt32](repeating: 0, count: (names.count + 31) / 32)
      for (number, name) in names.enumerated() where offload.has(name) {
        words[number / 32] |= 1 << (number % 32)
      }
      return (offload, words)
    }
    Self.masks.withLock { $0 = masks }
    return masks
  }

  /// The offloads of a link that are on (`ethtool -k NAME`); ENODEV if there is none of that name.
  public func offloads(ofLink name: String) throws(NetlinkError) -> Set<Offload> {
    let masks = try masks(askingAbout: name)
    let features = try socket.activeFeatures(ofLink: name, words: masks[0].words.count)
    return Set(masks.filter { zip($0.words, features).contains { $0 & $1 != 0 } }.map(\.offload))
  }

  /// Switches an offload on or off (`ethtool -K NAME …`).
  public func set(_ offload: Offload, _ isOn: Bool, ofLink name: String) throws(NetlinkError) {
    try socket.setOffload(UInt32(offload.command), isOn, ofLink: name)
  }
}

extension Socket {
  /// The names of all features that links can have, by their numbers; empty for those not in use.
  fileprivate func featureNames(askingAbout link: String) throws(NetlinkError) -> [String] {
    let (limit, length) = (256, Int(ETH_GSTRING_LEN))
    var bytes = [CChar](repeating: 0, count: limit * length)
    let count = Int(unsafe cnl_feature_names(descriptor, link, &bytes, CInt(limit)))
    guard count >= 0 else {
      throw NetlinkError(operation: "ask for the features of link \(link)", code: errno)
    }
    return (0..<count).map { number in
      let name = bytes[number * length..<(number + 1) * length].prefix { $0 != 0 }
      return String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  /// The features of a link that are on, a bit each.
  fileprivate func activeFeatures(ofLink name: String, words: Int) throws(NetlinkError) -> [UInt32] {
    var features = [UInt32](repeating: 0, count: words)
    guard unsafe cnl_active_features(descriptor, name, &features, CInt(words)) == 0 else {
      throw NetlinkError(operation: "ask for the features of link \(name)", code: errno)
    }
    return features
  }

  fileprivate func setOffload(_ command: UInt32, _ isOn: Bool, ofLink name: String) throws(NetlinkError) {
    guard unsafe cnl_set_offload(descriptor, name, command, isOn ? 1 : 0) == 0 else {
      throw NetlinkError(operation: "change an offload of link \(name)", code: errno)
    }
  }
}
