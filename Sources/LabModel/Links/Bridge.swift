/// A bridge: `ip link add NAME type bridge …`. An option that is `nil` may have any value.
package struct Bridge: LinkKind {
  package static let making = LinkMaking.beforePorts
  /// The kernel numbers a bridge's ports with 10 bits, the first of them reserved.
  package static let portLimit = 1023
  package var word: String { "bridge" }
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

  package var description: String { word }
  package var features: [KernelFeature] { vlanFiltering == true ? [.bridge, .vlanFiltering] : [.bridge] }

  package var options: [LinkWord] {
    [
      ("vlan_filtering", vlanFiltering.map { $0 ? 1 : 0 }), ("vlan_default_pvid", defaultPVID),
      ("stp_state", stp.map { $0 ? 1 : 0 }), ("forward_delay", forwardDelay), ("ageing_time", ageingTime),
      ("mcast_snooping", multicastSnooping.map { $0 ? 1 : 0 }),
    ].compactMap { option, value in value.map { LinkWord(option, $0) } }
  }

  /// All of a bridge's options can be changed.
  package func isOfKind(of observed: Bridge) -> Bool { true }

  package func changes(from observed: Bridge) -> [Bridge] {
    var missing = missing(in: observed)
    guard missing != Bridge() else { return [] }
    guard missing.stp == false, missing.options.count > 1 else { return [missing] }
    // While it is on, the kernel refuses other delays.
    missing.stp = nil
    return [Bridge(stp: false), missing]
  }

  private func missing(in observed: Bridge) -> Bridge {
    func unless<Value: Equatable>(_ wanted: Value?, _ observed: Value?) -> Value? {
      wanted == observed ? nil : wanted
    }
    return Bridge(
      vlanFiltering: unless(vlanFiltering, observed.vlanFiltering),
      defaultPVID: unless(defaultPVID, observed.defaultPVID), stp: unless(stp, observed.stp),
      forwardDelay: unless(forwardDelay, observed.forwardDelay),
      ageingTime: unless(ageingTime, observed.ageingTime),
      multicastSnooping: unless(multicastSnooping, observed.multicastSnooping))
  }
}
