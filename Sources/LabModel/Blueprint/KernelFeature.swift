/// Something that a kernel may or may not be able to do.
package enum KernelFeature: String, CaseIterable, Codable, Sendable {
  case namespaces = "network namespaces"
  case veth = "veth pairs"
  case bridge = "bridges"
  case vlanFiltering = "bridge VLAN filtering"
  case vlanDevices = "VLAN subinterfaces (8021q)"
  case ipv6 = "IPv6"
  case vxlan = "VXLAN"
  case dummy = "dummy devices"
  case tun = "TUN/TAP devices"
  case tbf
  case netem

  /// The kernel option that brings the feature.
  package var option: String {
    switch self {
    case .namespaces: "CONFIG_NET_NS"
    case .veth: "CONFIG_VETH"
    case .bridge: "CONFIG_BRIDGE"
    case .vlanFiltering: "CONFIG_BRIDGE_VLAN_FILTERING"
    case .vlanDevices: "CONFIG_VLAN_8021Q"
    case .ipv6: "CONFIG_IPV6"
    case .vxlan: "CONFIG_VXLAN"
    case .dummy: "CONFIG_DUMMY"
    case .tun: "CONFIG_TUN"
    case .tbf: "CONFIG_NET_SCH_TBF"
    case .netem: "CONFIG_NET_SCH_NETEM"
    }
  }
}
