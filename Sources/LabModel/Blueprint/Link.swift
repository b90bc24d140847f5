import LabKit
import Values

/// A network interface as it should be, or as it was observed.
///
/// Where a value is optional, `nil` in a blueprint means that any value will do.
package struct Link: Hashable, Sendable {
  /// The `ip netns` name of its namespace.
  package var namespace: String
  package var name: String
  package var kind: Kind
  package var mac: MACAddress?
  /// In bytes.
  package var mtu: Int?
  /// The bridge it is a port of.
  package var master: String?
  package var isUp: Bool
  package var isPromiscuous: Bool
  /// The owner's mark, `netlab/LAB/…`.
  package var alias: String?
  package var altnames: [String]
  /// Numeric attributes; one that is not given may have any value.
  package var options: LinkOptions = [:]
  /// The name it was found under, when somebody renamed it.
  package var presentName: String?
  /// What in the lab this link is there for.
  package var origin: SourceLocation?

  package enum Kind: Hashable, Sendable {
    case loopback
    /// One end of a cable.
    case veth(peerNamespace: String, peer: String)
    case bridge(BridgeOptions)
    /// An 802.1Q subinterface of another link in the same namespace.
    case vlan(id: Int, parent: String)
    /// Anything netlab does not make, by the kernel's name for the kind.
    case other(String)

    /// The word `ip link add … type` uses.
    package var word: String {
      switch self {
      case .loopback: "loopback"
      case .veth: "veth"
      case .bridge: "bridge"
      case .vlan: "vlan"
      case .other(let word): word.isEmpty ? "device" : word
      }
    }
  }

  package init(
    namespace: String, name: String, kind: Kind, mac: MACAddress? = nil, mtu: Int? = nil,
    master: String? = nil,
    isUp: Bool = true, isPromiscuous: Bool = false, alias: String? = nil, altnames: [String] = [],
    origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.kind = kind
    self.mac = mac
    self.mtu = mtu
    self.master = master
    self.isUp = isUp
    self.isPromiscuous = isPromiscuous
    self.alias = alias
    self.altnames = altnames
    self.origin = origin
  }
}

/// What `ip link … type bridge` sets.
package struct BridgeOptions: Hashable, Sendable {
  package var vlanFiltering: Bool?
  /// The VLAN that new ports get; 0 for none.
  package var defaultPVID: Int?
  package var stp: Bool?
  /// In hundredths of a second, the kernel's unit.
  package var forwardDelay: Int?
  /// In hundredths of a second; 0 makes the bridge forget at once, so that it floods everything.
  package var ageingTime: Int?
  package var multicastSnooping: Bool?

  package init(
    vlanFiltering: Bool? = nil, defaultPVID: Int? = nil, stp: Bool? = nil, forwardDelay: Int? = nil,
    ageingTime: Int? = nil, multicastSnooping: Bool? = nil
  ) {
    self.vlanFiltering = vlanFiltering
    self.defaultPVID = defaultPVID
    self.stp = stp
    self.forwardDelay = forwardDelay
    self.ageingTime = ageingTime
    self.multicastSnooping = multicastSnooping
  }

  /// The options that are given, in `ip link`'s words.
  package var words: [(option: String, value: Int)] {
    [
      ("vlan_filtering", vlanFiltering.map { $0 ? 1 : 0 }), ("vlan_default_pvid", defaultPVID),
      ("stp_state", stp.map { $0 ? 1 : 0 }), ("forward_delay", forwardDelay), ("ageing_time", ageingTime),
      ("mcast_snooping", multicastSnooping.map { $0 ? 1 : 0 }),
    ].compactMap { option, value in value.map { (option, $0) } }
  }

  /// The wanted options that the observed bridge does not have.
  func missing(in observed: BridgeOptions) -> BridgeOptions {
    func unless<Value: Equatable>(_ wanted: Value?, _ observed: Value?) -> Value? {
      wanted == observed ? nil : wanted
    }
    return BridgeOptions(
      vlanFiltering: unless(vlanFiltering, observed.vlanFiltering),
      defaultPVID: unless(defaultPVID, observed.defaultPVID), stp: unless(stp, observed.stp),
      forwardDelay: unless(forwardDelay, observed.forwardDelay),
      ageingTime: unless(ageingTime, observed.ageingTime),
      multicastSnooping: unless(multicastSnooping, observed.multicastSnooping))
  }
}

/// What to change on a link that exists; one `ip link set`.
package struct LinkChange: Hashable, Sendable {
  package var namespace: String
  package var name: String
  package var mac: MACAddress?
  package var mtu: Int?
  /// A bridge's name; the empty name detaches.
  package var master: String?
  package var isUp: Bool?
  package var isPromiscuous: Bool?
  package var alias: String?
  package var bridge = BridgeOptions()
  package var options: LinkOptions = [:]
  /// The name it has instead of `name`, which it is to get back.
  package var presentName: String?
  package var origin: SourceLocation?

  package init(of link: Link) {
    self.namespace = link.namespace
    self.name = link.name
    self.origin = link.origin
  }

  package var isEmpty: Bool {
    mac == nil && mtu == nil && master == nil && isUp == nil && isPromiscuous == nil && alias == nil
      && bridge == BridgeOptions() && options.isEmpty && presentName == nil
  }
}
