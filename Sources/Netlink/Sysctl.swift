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

extension NetworkNamespace {
  /// Writes settings in this namespace, in order, and returns the outcome of each: nil is good
  /// (`ip netns exec … sysctl -w …`). Throws only if the namespace cannot be entered.
  public func write(_ settings: [Sysctl]) throws(NetlinkError) -> [NetlinkError?] {
    var codes = [CInt](repeating: 0, count: settings.count)
    let strings = Self.strings(settings.flatMap { [$0.path, $0.value] })
    guard unsafe cnl_write_sysctls(rawDescriptor, strings, CInt(settings.count), &codes) == 0 else {
      throw NetlinkError(operation: "enter a namespace to write sysctls", code: errno)
    }
    return zip(settings, codes).map { setting, code in
      code == 0 ? nil : NetlinkError(operation: "write sysctl \(setting.path) = \(setting.value)", code: code)
    }
  }

  /// Reads settings in this namespace, without the newline at their end; one that cannot be read is an error of
  /// its own, such as ENOENT (`ip netns exec … sysctl -n …`).
  public func readSysctls(_ paths: [String]) throws(NetlinkError) -> [Result<String, NetlinkError>] {
    let size = 1024
    var values = [CChar](repeating: 0, count: paths.count * size)
    var lengths = [CInt](repeating: 0, count: paths.count)
    let strings = Self.strings(paths)
    guard unsafe cnl_read_sysctls(rawDescriptor, strings, CInt(paths.count), &values, size, &lengths) == 0
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
    strings.flatMap { $0.utf8.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0] }
  }
}
