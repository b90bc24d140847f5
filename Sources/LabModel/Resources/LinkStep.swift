import LabKit
import Values

/// What makes, changes or removes a link.
package indirect enum LinkStep: PlanStep {
  /// Creates a link by itself.
  case add(Link)
  /// Creates a cable: both ends in one request, each in its namespace.
  case addPair(outer: Link, inner: Link)
  case change(LinkChange)
  case changePort(OptionChange)
  case changeOffloads(OptionChange)
  case changeSetting(Sysctl)
  case addAltname(String, Link)
  case deleteAltname(String, Link)
  case delete(Link)

  package var namespace: String {
    switch self {
    case .add(let link), .addPair(let link, _), .delete(let link), .addAltname(_, let link),
      .deleteAltname(_, let link):
      link.namespace
    case .change(let change): change.namespace
    case .changePort(let change), .changeOffloads(let change): change.namespace
    case .changeSetting(let sysctl): sysctl.namespace
    }
  }

  package var origin: SourceLocation? {
    switch self {
    case .add(let link), .addPair(let link, _), .delete(let link), .addAltname(_, let link),
      .deleteAltname(_, let link):
      link.origin
    case .change(let change): change.origin
    case .changePort(let change), .changeOffloads(let change): change.origin
    case .changeSetting(let sysctl): sysctl.origin
    }
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
  /// The options of its kind to change.
  package var kind: (any LinkKind)? {
    get { box?.kind }
    set { box = newValue.map(Link.KindBox.init) }
  }
  private var box: Link.KindBox?
  package var options: LinkOptions = [:]
  /// The name it has instead of `name`, which it is to get back.
  package var presentName: String?
  package var origin: SourceLocation?

  init(of link: Link) {
    self.namespace = link.namespace
    self.name = link.name
    self.origin = link.origin
  }

  var isEmpty: Bool {
    mac == nil && mtu == nil && master == nil && isUp == nil && isPromiscuous == nil && alias == nil
      && box == nil && options.isEmpty && presentName == nil
  }
}

/// What to change on a bridge's port, one `bridge link set`; or of a link's offloads, one `ethtool -K`.
package struct OptionChange: Hashable, Sendable {
  package var namespace: String
  package var name: String
  package var options: LinkOptions
  package var origin: SourceLocation?
}

extension LinkStep {
  package var commands: [String] {
    switch self {
    case .add(let link): return link.addCommands
    case .addPair(let outer, let inner):
      let peer = ["peer name \(inner.name) netns \(inner.namespace)"] + inner.creationWords
      let words = ["ip -n \(outer.namespace) link add name \(outer.name)"] + outer.creationWords
      return [(words + ["type \(outer.kind.word)"] + peer).joined(separator: " ")]
        + LinkChange(afterCreating: outer).commands
    case .change(let change): return change.commands
    case .changePort(let change):
      return ["bridge -n \(change.namespace) link set dev \(change.name) \(change.options.words)"]
    case .changeOffloads(let change):
      let device = change.name.shellQuoted
      return ["ip netns exec \(change.namespace) ethtool -K \(device) \(change.options.words)"]
    case .changeSetting(let sysctl): return Sysctl.Step(sysctl: sysctl).commands
    case .addAltname(let name, let link): return [link.altnameCommand("add", name)]
    case .deleteAltname(let name, let link): return [link.altnameCommand("del", name)]
    case .delete(let link): return ["ip -n \(link.namespace) link delete dev \(link.name.shellQuoted)"]
    }
  }
}

extension LinkOptions {
  fileprivate var words: String {
    LinkOption.allCases.compactMap { option in self[option].map { option.words($0) } }.joined(separator: " ")
  }
}

extension Link {
  fileprivate var addCommands: [String] {
    let add =
      [
        ["ip -n \(namespace) link add", kind.place, "name \(name)"].compactMap { $0 }.joined(separator: " ")
      ] + creationWords + ["type \(kind.word)"] + kind.options.map { "\($0.option) \($0.value)" }
    return [add.joined(separator: " ")] + LinkChange(afterCreating: self).commands
  }

  fileprivate var creationWords: [String] {
    [
      mac.map { "address \($0)" }, mtu.map { "mtu \($0)" },
      // See the netlink library's `NewLink.queues`: without it, the kernel makes more, and takes them away again.
      kind.making == .withPeer ? "numtxqueues 1 numrxqueues 1" : nil,
    ].compactMap { $0 }
  }

  fileprivate func altnameCommand(_ verb: String, _ altname: String) -> String {
    "ip -n \(namespace) link property \(verb) dev \(name.shellQuoted) altname \(altname.shellQuoted)"
  }
}

extension LinkChange {
  /// What the kernel takes in the same request that creates a link, though `ip` needs a second command for it.
  fileprivate init(afterCreating link: Link) {
    self.init(of: link)
    master = link.master
    isPromiscuous = link.isPromiscuous ? true : nil
    isUp = link.isUp ? true : nil
  }

  fileprivate var commands: [String] {
    let parts =
      [
        presentName.map { _ in "name \(name)" }, mac.map { "address \($0)" }, mtu.map { "mtu \($0)" },
        master.map { $0.isEmpty ? "nomaster" : "master \($0.shellQuoted)" },
        isPromiscuous.map { "promisc \($0 ? "on" : "off")" }, alias.map { "alias \($0.shellQuoted)" },
        isUp.map { $0 ? "up" : "down" }, options.isEmpty ? nil : options.words,
      ].compactMap { $0 }
    let device = "ip -n \(namespace) link set dev \((presentName ?? name).shellQuoted)"
    let words = kind?.options.map { "\($0.option) \($0.value)" } ?? []
    return (parts.isEmpty ? [] : ["\(device) \(parts.joined(separator: " "))"])
      + (words.isEmpty ? [] : ["\(device) type \(kind?.word ?? "") \(words.joined(separator: " "))"])
  }
}

extension String {
  /// The text as one word for a shell: what was found in the kernel can have any name.
  package var shellQuoted: String {
    let isPlain = { (byte: UInt8) in byte.isLetterOrDigit || "-_./:@%+=,".utf8.contains(byte) }
    return !isEmpty && utf8.allSatisfy(isPlain) ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}
