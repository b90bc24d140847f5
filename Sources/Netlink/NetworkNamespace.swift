internal import CNetlink
internal import Glibc

/// The owner of an open network namespace: the kernel frees it when the last owner, pin and process is gone.
public struct NetworkNamespace: ~Copyable, Sendable {
  private let descriptor: Descriptor

  /// The descriptor's number, for requests that put a link into this namespace; valid as long as the owner.
  public var rawDescriptor: CInt { descriptor.rawValue }

  init(adopting rawValue: CInt) { descriptor = Descriptor(adopting: rawValue) }

  /// Where `ip netns` keeps its names.
  public static let directory = "/run/netns"

  /// Opens the namespace that a file is bound to, such as `/run/netns/two-vms.focal-1`.
  ///
  /// Throws EINVAL if the file is anything but a network namespace.
  public static func open(path: String) throws(NetlinkError) -> NetworkNamespace {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw NetlinkError(operation: "open namespace \(path)", code: errno) }
    let namespace = NetworkNamespace(adopting: descriptor)
    guard cnl_check_namespace(descriptor) == 0 else {
      throw NetlinkError(
        operation: "open namespace \(path)", code: errno, advice: "the file is not a network namespace")
    }
    return namespace
  }

  /// Opens the namespace of the calling thread.
  public static func current() throws(NetlinkError) -> NetworkNamespace {
    let descriptor = cnl_open_current_namespace()
    guard descriptor >= 0 else { throw NetlinkError(operation: "open the current namespace", code: errno) }
    return NetworkNamespace(adopting: descriptor)
  }

  /// What tells one namespace from another, as long as both exist: device and inode of its file.
  public struct Identity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  /// What tells this namespace from others.
  public var identity: Identity {
    var status = stat()
    // It cannot fail on an open descriptor.
    unsafe fstat(rawDescriptor, &status)
    return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// Makes `directory` what `ip netns` makes of /run/netns: there, and a shared mount. Once is enough,
  /// again does no harm.
  public static func prepareDirectory(_ directory: String = directory) throws(NetlinkError) {
    guard unsafe cnl_prepare_namespace_directory(directory) == 0 else {
      throw NetlinkError(operation: "prepare directory \(directory)", code: errno)
    }
  }

  /// Gives the namespace a name in the file system, as `ip netns attach` does; EEXIST if it is taken.
  ///
  /// The namespace then lives until ``unpin(path:)``.
  public func pin(at path: String) throws(NetlinkError) {
    guard unsafe cnl_pin_namespace(rawDescriptor, path) == 0 else {
      throw NetlinkError(operation: "pin namespace at \(path)", code: errno)
    }
  }

  /// Takes a name away, as `ip netns delete` does; also the empty file that a crash left of one.
  public static func unpin(path: String) throws(NetlinkError) {
    guard unsafe cnl_unpin_namespace(path) == 0 else { throw unpinError(path, errno) }
  }

  /// Takes several names away, a few at a time, and returns the errors.
  public static func unpin(paths: [String]) -> [NetlinkError] {
    var codes = [CInt](repeating: ENOMEM, count: paths.count)
    _ = unsafe cnl_unpin_namespaces(strings(paths), CInt(paths.count), &codes)
    return zip(paths, codes).filter { $1 != 0 }.map(unpinError)
  }

  private static func unpinError(_ path: String, _ code: CInt) -> NetlinkError {
    NetlinkError(
      operation: "unpin namespace \(path)", code: code,
      advice: code == EBUSY ? "something keeps mounting on it" : nil)
  }
}
