/// The parts of a lab that a check needs in order to mean anything.
package struct CheckReferences {
  /// VMs by name.
  package var vms: [String] = []
  /// Pairs between which an address is needed: the sender, and whom it sends to.
  package var paths: [(from: String, to: Endpoint)] = []
  package var points: [CapturePoint] = []
  /// Capture filters in pcap's syntax.
  package var filters: [String] = []
  /// Checks inside this one.
  package var nested: [Check] = []
  /// Numbers that must be inside a range, by name.
  package var numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = []
  /// Regular expressions.
  package var patterns: [String] = []
  /// Pairs of VMs of which at least one, or each, must be able to talk.
  package var pairs: Pairs?
  /// VMs that watch, and so can be neither end of a path.
  package var bystanders: [String] = []
  /// What is wrong with the check by itself.
  package var problems: [String] = []
  /// Why the check cannot fail, and what would let it.
  package var idleness: (reason: String, fix: String)?

  package enum Pairs: Sendable {
    /// All pairs with ports on a network, or with any ports; at least one of them can talk.
    case network(String?)
    /// Each pair of these VMs can talk.
    case each([String])
  }
}
