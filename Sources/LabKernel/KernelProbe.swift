import Glibc
import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// Finds out what this kernel can do by doing it, in a namespace that vanishes afterwards.
package enum KernelProbe {
  /// What happened on trying each feature: `nil` when it worked, else the kernel's words.
  package static func tryFeatures(_ features: some Sequence<KernelFeature>) -> [KernelFeature: String?] {
    var outcomes: [KernelFeature: String?] = [:]
    for feature in features {
      do throws(NetlinkError) {
        try attempt(feature)
        outcomes[feature] = .some(nil)
      } catch {
        outcomes[feature] = "\(error.codeText)\(error.kernelMessage.map { ": \($0)" } ?? "")"
      }
    }
    return outcomes
  }

  /// Those of the features that this kernel lacks, in a fixed order.
  package static func missing(_ features: Set<KernelFeature>) -> [KernelFeature] {
    let outcomes = tryFeatures(features)
    return KernelFeature.allCases.filter { outcomes[$0].flatMap { $0 } != nil }
  }

  private static func attempt(_ feature: KernelFeature) throws(NetlinkError) {
    let namespace = try NetworkNamespace.create()
    let connection = try Connection(in: namespace)
    var batch = Batch()
    switch feature {
    case .namespaces: return
    case .veth: batch.createLink(NewLink(.veth(peer: NewLink.Peer(name: "probe1")), name: "probe0"))
    case .bridge: batch.createLink(NewLink(.bridge(Netlink.BridgeOptions()), name: "probe0"))
    case .vlanFiltering:
      batch.createLink(NewLink(.bridge(Netlink.BridgeOptions(vlanFiltering: true)), name: "probe0"))
    case .vlanDevices:
      // On a device of its own: `lo` takes no VLANs.
      batch.createLink(NewLink(.bridge(Netlink.BridgeOptions()), name: "probe0", index: 10))
      batch.createLink(NewLink(.vlan(VLAN(id: 2), parent: 10), name: "probe1"))
    case .ipv6:
      batch.setLink(1, Netlink.LinkChange(isUp: true))
      let address = IPAddress(family: .ipv6, value: 0xfd << 120 | 1)
      batch.addAddress(LinkAddress(link: 1, address: IPPrefix(address: address, length: 64)))
    case .vxlan: batch.createLink(NewLink(.vxlan(VXLAN(id: 2)), name: "probe0"))
    case .tbf:
      batch.createLink(NewLink(.bridge(Netlink.BridgeOptions()), name: "probe0", index: 10))
      let bucket = TokenBucket(rate: 8_000_000, burst: 10_000, limit: 10_000)
      batch.addQdisc(Netlink.Qdisc(link: 10, kind: .tbf(bucket)))
    case .netem:
      batch.createLink(NewLink(.bridge(Netlink.BridgeOptions()), name: "probe0", index: 10))
      batch.addQdisc(Netlink.Qdisc(link: 10, kind: .netem(Netem())))
    case .dummy: batch.createLink(NewLink(.dummy, name: "probe0"))
    case .tun:
      guard unsafe access("/dev/net/tun", R_OK | W_OK) == 0 else {
        throw NetlinkError(operation: "open /dev/net/tun", code: errno)
      }
    }
    try connection.run(batch)
  }
}
