/// What a lab is made of in the kernel: as it should be (a blueprint), or as it was found (an observation).
///
/// Both are one type, so that coming up, going down and finding drift are one operation: the difference between two of them.
public struct Blueprint: Hashable, Sendable {
  public var namespaces: [Namespace] = []
  public var sysctls: [Sysctl] = []
  public var links: [Link] = []
  public var vlans: [BridgeVLAN] = []
  public var addresses: [Address] = []
  public var routes: [RouteEntry] = []
  /// What was added by hand; a lab wants none.
  public var entries: [TableEntry] = []

  public init() {}

  public var count: Int {
    namespaces.count + sysctls.count + links.count + vlans.count + addresses.count + routes.count
      + entries.count
  }
}
