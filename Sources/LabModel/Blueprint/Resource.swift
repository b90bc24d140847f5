import LabKit

/// One kind of thing that a lab is made of in the kernel: an address, a route, a link.
///
/// All there is to know about a kind is in its file here, and in one of the same name in LabKernel, which reads it and
/// takes its steps. ``ResourceKinds`` lists the kinds.
package protocol Resource: Hashable, Sendable, CustomStringConvertible {
  associatedtype Identity: Hashable & Sendable
  associatedtype Step: PlanStep

  /// What tells one from another of its kind. Two with one identity are one thing that may differ in its attributes.
  var identity: Identity { get }
  /// The `ip netns` name of the namespace it is in.
  var namespace: String { get }
  /// The device that it is, or that it belongs to and goes with.
  var owner: String? { get }
  /// What in the lab it is there for; `nil` for what was observed.
  var origin: SourceLocation? { get }
  /// Kind and name, without the namespace: `veth qvo585e6e2e-a6`.
  var description: String { get }
  /// What a drawing calls it beside its device: `vlan 1`. Empty for the device itself.
  var label: String { get }
  /// How a person names what is wanted: `VLAN 1 PVID Egress Untagged on qvo585e6e2e-a6`.
  var wish: String { get }
  /// What the kernel must be able to do for it.
  var features: [KernelFeature] { get }

  /// In what the wanted one differs from the observed one.
  func differences(from observed: Self) -> [AttributeDifference]

  /// What is wrong with the observed one, in one line; `nil` for the words that all kinds have.
  func summary(_ differences: [AttributeDifference]) -> String?

  /// Whether it is still there after a removal of other things.
  func survives(_ removal: Removal) -> Bool

  /// The observed ones that a blueprint has an opinion about. What it is silent about is no drift.
  static func relevant(_ observed: [Self], to wanted: Blueprint) -> [Self]

  /// Plans what makes, changes and removes things of this kind.
  static func plan(_ changes: [ChangeOf<Self>], in plan: inout Plan)
}

extension Resource {
  package var owner: String? { nil }
  package var label: String { description }
  package var wish: String { description }
  package var features: [KernelFeature] { [] }
  package func differences(from observed: Self) -> [AttributeDifference] { [] }
  package func summary(_ differences: [AttributeDifference]) -> String? { nil }
  package func survives(_ removal: Removal) -> Bool { removal.leaves(namespace, owner) }
  package static func relevant(_ observed: [Self], to wanted: Blueprint) -> [Self] { observed }
}

/// What identifies a resource that belongs to a device.
package struct OwnedKey<Value: Hashable & Sendable>: Hashable, Sendable {
  var namespace: String
  var device: String
  var value: Value
}

/// An attribute with two values.
package struct AttributeDifference: Hashable, Sendable {
  package var attribute: String
  package var wanted: String
  package var observed: String

  package init(attribute: String, wanted: String, observed: String) {
    self.attribute = attribute
    self.wanted = wanted
    self.observed = observed
  }
}
