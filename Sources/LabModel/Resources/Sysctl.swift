import LabKit

/// A setting of a namespace: `sysctl -w KEY=VALUE` inside it.
package struct Sysctl: Hashable, Sendable {
  package var namespace: String
  /// With dots: `net.ipv6.conf.all.disable_ipv6`.
  package var key: String
  package var value: String
  package var origin: SourceLocation?

  package init(namespace: String, key: String, value: String, origin: SourceLocation? = nil) {
    self.namespace = namespace
    self.key = key
    self.value = value
    self.origin = origin
  }
}

extension Sysctl: Resource {
  package var identity: OwnedKey<String> { OwnedKey(namespace: namespace, device: "", value: key) }
  package var description: String { "sysctl \(key)" }

  static let written = Stage(after: Namespace.made)
  /// Those of one device, which comes first.
  private static let writtenOfDevice = Stage(after: Link.named)

  /// Whether each network namespace has the setting for itself.
  static func isOfNetwork(_ key: String) -> Bool {
    key.hasPrefix("net.") && key.count > 4
      && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/".contains($0)) }
      && !key.contains("..")
  }

  private var isOfDevice: Bool {
    let words = key.split(separator: ".")
    return words.count > 4 && ["conf", "neigh"].contains(words[2]) && !["all", "default"].contains(words[3])
  }

  package func differences(from observed: Sysctl) -> [AttributeDifference] {
    value.split(whereSeparator: \.isWhitespace) == observed.value.split(whereSeparator: \.isWhitespace)
      ? [] : [AttributeDifference(attribute: "value", wanted: value, observed: observed.value)]
  }

  /// A setting that nobody has an opinion of any more stays as it is, as long as its namespace does.
  package static func relevant(_ observed: [Sysctl], to wanted: Blueprint) -> [Sysctl] {
    let known = Set(wanted.sysctls.map(\.identity))
    let kept = Set(wanted.namespaces.map(\.name))
    return observed.filter { known.contains($0.identity) || !kept.contains($0.namespace) }
  }

  /// Writes it.
  package struct Step: PlanStep {
    package let sysctl: Sysctl

    package init(sysctl: Sysctl) { self.sysctl = sysctl }

    package var namespace: String { sysctl.namespace }
    package var origin: SourceLocation? { sysctl.origin }
    package var commands: [String] {
      ["ip netns exec \(sysctl.namespace) sysctl -qw \("\(sysctl.key)=\(sysctl.value)".shellQuoted)"]
    }
  }

  /// A setting has no absence: it goes with its namespace.
  package static func plan(_ changes: [ChangeOf<Sysctl>], in plan: inout Plan) {
    var steps: [Step] = []
    for change in changes {
      switch change {
      case .create(let sysctl):
        if !sysctl.isImplied(by: steps.last?.sysctl) { steps.append(Step(sysctl: sysctl)) }
      case .update(let sysctl, _, _): steps.append(Step(sysctl: sysctl))
      case .delete: break
      }
    }
    plan.add(steps.filter { !$0.sysctl.isOfDevice }, at: written)
    plan.add(steps.filter(\.sysctl.isOfDevice), at: writtenOfDevice)
  }

  /// What is written to `all`, the kernel writes to `default` as well.
  private func isImplied(by last: Sysctl?) -> Bool {
    guard key == "net.ipv6.conf.default.disable_ipv6" else { return false }
    var all = self
    all.key = "net.ipv6.conf.all.disable_ipv6"
    return last == all
  }
}

extension Blueprint {
  package var sysctls: [Sysctl] {
    get { self[Sysctl.self] }
    _modify { yield &self[Sysctl.self] }
  }
}
