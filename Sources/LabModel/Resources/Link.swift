import LabKit
import Values

/// A network interface as it should be, or as it was observed.
///
/// Where a value is optional, `nil` in a blueprint means that any value will do.
package struct Link: Hashable, Sendable {
  /// The `ip netns` name of its namespace.
  package var namespace: String
  package var name: String
  package var kind: any LinkKind {
    get { box.kind }
    set { box = KindBox(kind: newValue) }
  }
  private var box: KindBox
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

  package init(
    namespace: String, name: String, kind: any LinkKind, mac: MACAddress? = nil, mtu: Int? = nil,
    master: String? = nil, isUp: Bool = true, isPromiscuous: Bool = false, alias: String? = nil,
    altnames: [String] = [], origin: SourceLocation? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.box = KindBox(kind: kind)
    self.mac = mac
    self.mtu = mtu
    self.master = master
    self.isUp = isUp
    self.isPromiscuous = isPromiscuous
    self.alias = alias
    self.altnames = altnames
    self.origin = origin
  }

  /// A kind that can be compared.
  struct KindBox: Hashable, Sendable {
    var kind: any LinkKind

    static func == (first: KindBox, second: KindBox) -> Bool { first.kind.isEqual(to: second.kind) }
    func hash(into hasher: inout Hasher) { kind.hash(into: &hasher) }
  }
}

extension Link: Resource {
  package var identity: LinkKey { LinkKey(self) }
  package var owner: String? { name }
  package var description: String { "\(kind.word) \(name)" }
  package var label: String { "" }
  package var features: [KernelFeature] { kind.features }

  /// The link without which this one cannot be.
  var carrier: LinkKey? { kind.carrier(in: namespace) }

  /// Whether the two are alike in what only deleting and creating a link again can change.
  func isOfKind(of other: Link) -> Bool { kind.isOfKind(ofAny: other.kind) }

  package func differences(from observed: Link) -> [AttributeDifference] {
    var found: [AttributeDifference] = []
    func compare<Value: Equatable>(
      _ attribute: String, _ wanted: Value, _ observed: Value, _ text: (Value) -> String
    ) {
      if wanted != observed {
        found.append(
          AttributeDifference(attribute: attribute, wanted: text(wanted), observed: text(observed)))
      }
    }
    compare("name", name, observed.presentName ?? observed.name) { $0 }
    if !isOfKind(of: observed) { compare("kind", kind.description, observed.kind.description) { $0 } }
    if let mac { compare("address", mac, observed.mac) { $0.map { "\($0)" } ?? "none" } }
    if let mtu { compare("mtu", mtu, observed.mtu) { $0.map { "\($0)" } ?? "none" } }
    compare("master", master, observed.master) { $0 ?? "none" }
    compare("state", isUp, observed.isUp) { $0 ? "up" : "down" }
    compare("promisc", isPromiscuous, observed.isPromiscuous) { $0 ? "on" : "off" }
    if let alias { compare("alias", alias, observed.alias) { $0 ?? "none" } }
    if altnames != observed.altnames {
      compare("altname", altnames.sorted(), observed.altnames.sorted()) {
        $0.isEmpty ? "none" : $0.joined(separator: ", ")
      }
    }
    if isOfKind(of: observed) { found += kind.differences(fromAny: observed.kind) }
    let options = options.differing(from: observed.options)
    for option in LinkOption.allCases {
      guard let wanted = options[option], let value = observed.options[option] else { continue }
      found.append(AttributeDifference(attribute: option.word, wanted: "\(wanted)", observed: "\(value)"))
    }
    return found
  }
}

extension Blueprint {
  package var links: [Link] {
    get { self[Link.self] }
    _modify { yield &self[Link.self] }
  }
}
