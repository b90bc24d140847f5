internal import CNetlink
internal import Glibc

/// A kernel setting of a namespace: the path below /proc/sys, such as `net/ipv4/ip_forward`, and its value.
public struct Sysctl: Hashable, Sendable {
  public var path: String
  public var value: String

  public init(_ path: String, _ value: String) {
    self.path = path
    self.value = value
  }
}

/// A way of one's own to /proc/sys.
///
/// For each namespace in which somebody asked for it the kernel remembers another /proc/sys/net/ipv6, and goes through all
/// of them when it is asked for the next time: with a thousand namespaces that was most of what a look at a lab took. A
/// second mount of proc begins with none.
public final class SysctlView {
  private var mount: Descriptor?
  private var isTried = false

  /// Nothing is mounted before it is needed.
  public init() {}

  /// The mount; negative, for the usual one, where another is not permitted.
  fileprivate var descriptor: CInt {
    if !isTried {
      isTried = true
      let made = cnl_mount_proc()
      if made >= 0 { mount = Descriptor(adopting: made) }
    }
    return mount?.rawValue ?? -1
  }
}

extension NetworkNamespace {
  /// Writes settings in this namespace, in order, and returns the outcome of each: nil is good
  /// (`ip netns exec … sysctl -w …`). Throws only if the namespace cannot be entered.
  public func write(
    _ settings: [Sysctl], through view: SysctlView? = nil
  ) throws(NetlinkError) -> [NetlinkError?] {
    var codes = [CInt](repeating: 0, count: settings.count)
    let strings = Self.strings(settings.flatMap { [$0.path, $0.value] })
    guard
      unsafe cnl_write_sysctls(rawDescriptor, view?.descriptor ?? -1, strings, CInt(settings.count), &codes)
        == 0
    else {
      throw NetlinkError(operation: "enter a namespace to write sysctls", code: errno)
    }
    return zip(settings, codes).map { setting, code in
      code == 0 ? nil : NetlinkError(operation: "write sysctl \(setting.path) = \(setting.value)", code: code)
    }
  }

  /// Reads settings in this namespace, without the newline at their end; one that cannot be read is an error of
  /// its own, such as ENOENT (`ip netns exec … sysctl -n …`).
  public func readSysctls(
    _ paths: [String], through view: SysctlView? = nil
  ) throws(NetlinkError) -> [Result<String, NetlinkError>] {
    let size = 1024
    var values = [CChar](repeating: 0, count: paths.count * size)
    var lengths = [CInt](repeating: 0, count: paths.count)
    let strings = Self.strings(paths)
    let proc = view?.descriptor ?? -1
    guard
      unsafe cnl_read_sysctls(rawDescriptor, proc, strings, CInt(paths.count), &values, size, &lengths) == 0
    else {
      throw NetlinkError(operation: "enter a namespace to read sysctls", code: errno)
    }
    return paths.indices.map { index in
      guard lengths[index] >= 0 else {
        return .failure(NetlinkError(operation: "read sysctl \(paths[index])", code: -lengths[index]))
      }
      let bytes = values[index * size..<index * size + Int(lengths[index])].map { UInt8(bitPattern: $0) }
      return .success(String(decoding: bytes.last == 10 ? bytes.dropLast() : bytes[...], as: UTF8.self))
    }
  }

  /// The strings one after the other, each ended by NUL; NULs inside are left out.
  static func strings(_ strings: [String]) -> [CChar] {
    var bytes: [CChar] = []
    for string in strings {
      for byte in string.utf8 where byte != 0 { bytes.append(CChar(bitPattern: byte)) }
      bytes.append(0)
    }
    return bytes
  }
}
