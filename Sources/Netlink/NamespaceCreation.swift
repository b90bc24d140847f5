internal import CNetlink
internal import Glibc

extension NetworkNamespace {
  /// Makes a namespace that nothing else can see until it is pinned, with an alias on its `lo` as a mark of
  /// ownership if one is given (`ip link set lo alias …`). The caller's namespace stays as it is.
  public static func create(markedBy alias: String? = nil) throws(NetlinkError) -> NetworkNamespace {
    var (namespaces, connections) = try createUnmarked(1)
    let namespace = NetworkNamespace(adopting: namespaces.removeLast())
    if let alias { try mark(connections.removeLast(), alias) }
    return namespace
  }

  /// Makes a namespace for each alias (nil: no mark), all on one thread, which is the fastest way; hands each
  /// to `body` with its position and a connection to it. If `body` throws, the remaining ones are gone.
  public static func create(
    markedBy aliases: [String?],
    _ body: (Int, consuming NetworkNamespace, Connection) throws(NetlinkError) -> Void
  ) throws(NetlinkError) {
    var (namespaces, connections) = try createUnmarked(aliases.count)
    // Both are taken from the end, so that what an error leaves behind is closed here.
    namespaces.reverse()
    connections.reverse()
    defer { for descriptor in namespaces { close(descriptor) } }
    for (position, alias) in aliases.enumerated() {
      let namespace = NetworkNamespace(adopting: namespaces.removeLast())
      let connection = connections.removeLast()
      if let alias { try mark(connection, alias) }
      try body(position, namespace, connection)
    }
  }

  private static func createUnmarked(_ count: Int) throws(NetlinkError) -> ([CInt], [Connection]) {
    guard count > 0 else { return ([], []) }
    var namespaces = [CInt](repeating: -1, count: count)
    var sockets = unsafe [OpaquePointer?](repeating: nil, count: count)
    var step = unsafe UnsafePointer<CChar>?.none
    let code = unsafe cnl_create_namespaces(CInt(count), &namespaces, &sockets, &step)
    guard code == 0 else {
      let operation = count == 1 ? "create a network namespace" : "create \(count) network namespaces"
      throw unsafe NetlinkError(
        operation: operation + (step.map { unsafe " (\(String(cString: $0)))" } ?? ""), code: code,
        advice: creationAdvice(code))
    }
    do throws(NetlinkError) {
      let connections = try unsafe sockets.map { socket throws(NetlinkError) in
        try unsafe Connection(adopting: Socket(adopting: socket!))
      }
      return (namespaces, connections)
    } catch {
      for descriptor in namespaces { close(descriptor) }
      throw error
    }
  }

  private static func creationAdvice(_ code: CInt) -> String? {
    switch code {
    case EPERM: "it needs root, or a user namespace"
    case EMFILE: "each takes two file descriptors: raise the limit (ulimit -n)"
    case ENOSPC: "the limit of namespaces is reached (user.max_net_namespaces)"
    default: nil
    }
  }

  private static func mark(_ connection: Connection, _ alias: String) throws(NetlinkError) {
    var batch = Batch()
    batch.setLink(1, LinkChange(alias: alias))  // lo is always the first link
    try connection.run(batch)
  }
}
