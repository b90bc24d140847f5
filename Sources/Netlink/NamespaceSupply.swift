internal import CNetlink
internal import Glibc

/// Network namespaces that are made in the background, while their owner does something else.
///
/// Nothing else can see them until they are pinned, so whatever happens to the process, none of them stays. They are given
/// away in one order, one thread at a time.
@safe public final class NamespaceSupply {
  private let raw: OpaquePointer
  /// How many can still be taken.
  public private(set) var count: Int

  /// Begins to make them.
  public init(_ count: Int) throws(NetlinkError) {
    guard let raw = unsafe cnl_start_supply(CInt(count)) else {
      throw NetlinkError(operation: "create \(count) network namespaces", code: ENOMEM)
    }
    unsafe self.raw = raw
    self.count = count
  }

  deinit { unsafe cnl_end_supply(raw) }

  /// Whether the next one can be taken without waiting for it.
  public var isReady: Bool { unsafe cnl_supply_is_ready(raw) != 0 }

  /// Takes the next one, with a connection to it. `alias` marks who owns it (`ip link set lo alias …`).
  ///
  /// - Precondition: `count` is not 0.
  public func take(
    markedBy alias: String? = nil,
    _ body: (consuming NetworkNamespace, Connection) throws(NetlinkError) -> Void
  ) throws(NetlinkError) {
    precondition(count > 0)
    var (descriptor, socket) = unsafe (CInt(-1), OpaquePointer?.none)
    var step = unsafe UnsafePointer<CChar>?.none
    let code = unsafe cnl_take_namespace(raw, &descriptor, &socket, &step)
    guard code == 0, let socket = unsafe socket else {
      throw unsafe NetlinkError(
        operation: "create a network namespace" + (step.map { unsafe " (\(String(cString: $0)))" } ?? ""),
        code: code, advice: Self.advice(code))
    }
    count -= 1
    let namespace = NetworkNamespace(adopting: descriptor)
    let connection = try unsafe Connection(adopting: Socket(adopting: socket))
    if let alias {
      var batch = Batch()
      batch.setLink(1, LinkChange(alias: alias))  // lo is always the first link
      try connection.run(batch)
    }
    try body(namespace, connection)
  }

  private static func advice(_ code: CInt) -> String? {
    switch code {
    case EPERM: "it needs root, or a user namespace"
    case EMFILE: "each takes two file descriptors: raise the limit (ulimit -n)"
    case ENOSPC: "the limit of namespaces is reached (user.max_net_namespaces)"
    default: nil
    }
  }
}

extension NetworkNamespace {
  /// Makes a namespace that nothing else can see until it is pinned. The caller's namespace stays as it is.
  public static func create() throws(NetlinkError) -> NetworkNamespace {
    var created: NetworkNamespace?
    try NamespaceSupply(1).take { namespace, _ throws(NetlinkError) in created = consume namespace }
    return created!
  }
}
