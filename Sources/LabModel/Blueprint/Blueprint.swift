import LabKit
import Values

/// What a lab is made of in the kernel: as it should be (a blueprint), or as it was found (an observation).
///
/// Both are one type, so that coming up, going down and finding drift are one operation: the difference between two of them.
package struct Blueprint: Hashable, Sendable {
  package var namespaces: [Namespace] = []
  package var sysctls: [Sysctl] = []
  package var links: [Link] = []
  package var vlans: [BridgeVLAN] = []
  package var addresses: [Address] = []
  package var routes: [RouteEntry] = []
  /// What was added by hand; a lab wants none.
  package var entries: [TableEntry] = []

  package init() {}

  package var count: Int {
    namespaces.count + sysctls.count + links.count + vlans.count + addresses.count + routes.count
      + entries.count
  }
}
