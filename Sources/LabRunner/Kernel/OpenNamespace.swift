internal import LabKit
internal import Netlink

/// One of a lab's namespaces, open, with a connection and what is known of its links.
final class OpenNamespace {
  /// The `ip netns` name.
  let name: String
  let namespace: NetworkNamespace
  let connection: Connection
  /// The ifindex of each link, by name.
  var indices: [String: Int32] = ["lo": 1]
  /// The ifindex that the next new link gets. Choosing them lets a batch refer to its own links. The kernel itself may
  /// have put devices of its own (tunl0, sit0 …) into a new namespace, with the lowest numbers.
  private var nextIndex: Int32 = 16

  init(name: String, namespace: consuming NetworkNamespace, connection: Connection) {
    self.name = name
    self.namespace = namespace
    self.connection = connection
  }

  static func path(of name: String) -> String { "\(NetworkNamespace.directory)/\(name)" }

  /// Opens a pinned namespace; `nil` when there is none of that name.
  static func open(_ name: String) throws(NetlinkError) -> OpenNamespace? {
    let path = path(of: name)
    guard Files.identity(of: path, followingLinks: false) != nil else { return nil }
    let namespace = try NetworkNamespace.open(path: path)
    let connection = try Connection(in: namespace)
    return OpenNamespace(name: name, namespace: namespace, connection: connection)
  }

  /// Takes the links that are there as known.
  func learn(_ links: [Netlink.Link]) {
    indices = Dictionary(links.map { ($0.name, $0.index) }, uniquingKeysWith: { first, _ in first })
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
struct OpenNamespaces {
  private(set) var byName: [String: OpenNamespace] = [:]
  /// Namespaces that have a name of the lab's but not its mark: somebody else's.
  private(set) var foreign: [String] = []

  subscript(name: String) -> OpenNamespace? { byName[name] }

  mutating func add(_ namespace: OpenNamespace) { byName[namespace.name] = namespace }
  mutating func remove(_ name: String) { byName[name] = nil }

  /// Opens those of the named namespaces that carry a mark.
  init(named names: [String], markedBy mark: String) throws(NetlinkError) {
    for name in names {
      let opened: OpenNamespace?
      do throws(NetlinkError) {
        opened = try OpenNamespace.open(name)
      } catch {
        // A file that is no namespace is not netlab's, unless it is the empty one that a crash left behind.
        if Files.isEmptyFile(OpenNamespace.path(of: name)) { continue }
        foreign.append(name)
        continue
      }
      guard let opened else { continue }
      if try opened.connection.link(1).alias == mark { add(opened) } else { foreign.append(name) }
    }
  }
}
