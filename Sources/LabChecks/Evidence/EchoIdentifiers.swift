import Synchronization

/// Gives each ping an identifier of its own: all pings of a node see all echo replies, and tell theirs by it.
final class EchoIdentifiers: Sendable {
  // Another netlab may verify the same lab.
  private let last = Atomic(UInt16.random(in: .min ... .max))

  func next() -> UInt16 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
