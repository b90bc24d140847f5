internal import Glibc

/// The owner of a file descriptor: closes it when it goes out of scope.
public struct Descriptor: ~Copyable, Sendable {
  /// The number of the open descriptor; valid as long as its owner lives.
  public let rawValue: CInt

  /// Takes over an open descriptor.
  public init(adopting rawValue: CInt) { self.rawValue = rawValue }

  deinit { close(rawValue) }
}
