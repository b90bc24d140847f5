import Glibc
import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// One of a lab's namespaces, open, with a connection and what is known of its links.
package final class OpenNamespace {
  /// The `ip netns` name.
  package let name: String
  package let namespace: NetworkNamespace
  package let connection: Connection
  /// How its settings are reached; `nil`: as everybody does.
  package fileprivate(set) var sysctlView: SysctlView?
  /// The ifindex of each link, by name.
  package var indices: [String: Int32] = ["lo": 1]
  /// The ifindex that the next new link gets. Choosing them lets a batch refer to its own links. The kernel itself may
  /// have put devices of its own (tunl0, sit0 …) into a new namespace, with the lowest numbers.
  private var nextIndex: Int32 = 16

  init(name: String, namespace: consuming NetworkNamespace, connection: Connection) {
    self.name = name
    self.namespace = namespace
    self.connection = connection
  }

  package static func path(of name: String) -> String { "\(NetworkNamespace.directory)/\(name)" }

  /// What tells it from the one that its name had before.
  package var number: UInt64 { connection.namespaceNumber ?? namespace.identity.inode }

  /// Opens a pinned namespace; `nil` when there is none of that name.
  package static func open(_ name: String) throws(NetlinkError) -> OpenNamespace? {
    let path = path(of: name)
    guard Files.identity(of: path, followingLinks: false) != nil else { return nil }
    let namespace = try NetworkNamespace.open(path: path)
    let connection = try Connection(in: namespace)
    return OpenNamespace(name: name, namespace: namespace, connection: connection)
  }

  /// The links that were seen when the namespace was opened, for whoever asks first.
  fileprivate var seen: [Netlink.Link]?

  /// Its links. What was seen on opening it serves once: little time has passed since, and dumps are what takes long.
  func readLinks(withStatistics: Bool) throws(NetlinkError) -> [Netlink.Link] {
    defer { seen = nil }
    if let seen, !withStatistics || seen.allSatisfy({ $0.statistics != nil }) { return seen }
    return try connection.links(withStatistics: withStatistics)
  }

  /// Takes the links that are there as known, by their present names and by those that the lab knows them by.
  package func learn(_ links: [Netlink.Link], as knownNames: [Int32: String]) {
    indices = Dictionary(links.map { ($0.name, $0.index) }, uniquingKeysWith: { first, _ in first })
    for (index, name) in knownNames { indices[name] = index }
    nextIndex = max(nextIndex, (links.map(\.index).max() ?? 0) + 1)
  }

  /// Chooses an ifindex for a link about to be created.
  func assignIndex(to name: String) -> Int32 {
    defer { nextIndex += 1 }
    indices[name] = nextIndex
    return nextIndex
  }
}

/// The namespaces of one lab that exist, by their `ip netns` names.
package struct OpenNamespaces {
  package private(set) var byName: [String: OpenNamespace] = [:]
  /// Namespaces that have a name of the lab's but not its mark: somebody else's.
  package private(set) var foreign: [String] = []

  package subscript(name: String) -> OpenNamespace? { byName[name] }

  /// How many namespaces share a view of the settings; the first ones have the usual one.
  private static let viewCapacity = 256
  private var view: SysctlView?

  mutating func add(_ namespace: OpenNamespace) {
    if byName.count % Self.viewCapacity == Self.viewCapacity - 1 { view = SysctlView() }
    namespace.sysctlView = view
    byName[namespace.name] = namespace
  }
  mutating func remove(_ name: String) { byName[name] = nil }

  /// Takes the links that were read as known, each by the name that the lab knows it by.
  package func learn(_ kernel: KernelState, _ ownership: Ownership) {
    for (name, node) in kernel.nodes {
      byName[name]?.learn(node.links, as: ownership.knownNames(of: node.links, in: name))
    }
  }

  /// Opens those of the named namespaces that carry a mark.
  ///
  /// - Parameter aspects: what will be read of them.
  package init(
    named names: [String], markedBy mark: Mark, toRead aspects: KernelState.Aspects = []
  ) throws(NetlinkError) {
    for name in names {
      let opened: OpenNamespace?
      do throws(NetlinkError) {
        opened = try OpenNamespace.open(name)
      } catch {
        if [EMFILE, ENFILE, EPERM, ENOMEM].contains(error.code) { throw error }
        // A file that is no namespace is not netlab's, unless it is the empty one that a crash left behind.
        if Files.isEmptyFile(OpenNamespace.path(of: name)) { continue }
        foreign.append(name)
        continue
      }
      guard let opened else { continue }
      let links = try opened.connection.links(withStatistics: aspects.contains(.statistics))
      if links.contains(where: { $0.index == 1 && mark.isOn($0) }) {
        opened.seen = links
        add(opened)
      } else {
        foreign.append(name)
      }
    }
  }
}

/// What says that a namespace is a lab's: an alias and an altname of its `lo`, so that losing one does not lose it.
package struct Mark: Hashable {
  package let lab: String
  package let token: String

  package var alias: String { "netlab/\(lab)/\(token)" }
  package var altname: String { "netlab-\(token)" }

  func isOn(_ loopback: Netlink.Link) -> Bool {
    loopback.alias == alias || loopback.alternativeNames.contains(altname)
  }

  package init(lab: String, token: String) {
    self.lab = lab
    self.token = token
  }

  /// The mark that a namespace carries, whichever lab's it is.
  package init?(on loopback: Netlink.Link) {
    let parts = (loopback.alias ?? "").split(separator: "/", omittingEmptySubsequences: false).map(
      String.init)
    guard parts.count == 3, parts[0] == "netlab", !parts[1].isEmpty, Self.isToken(parts[2]) else {
      return nil
    }
    (lab, token) = (parts[1], parts[2])
  }

  /// 128 bits, which nobody can guess.
  package static func newToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let digits = String(random.next() as UInt32, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  package static func isToken(_ text: String) -> Bool {
    text.utf8.count == 32 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
  }
}
