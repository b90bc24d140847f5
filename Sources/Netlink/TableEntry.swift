internal import CNetlink
internal import Glibc

/// An entry of one of a namespace's tables, with all that the kernel says of it, by which it can be deleted and added
/// again though not all of it is understood here.
public struct TableEntry: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case neighbour(Neighbour)
    case forwarding(ForwardingEntry)
    case rule(Rule)
    case qdisc(Qdisc)
  }

  /// The tables, as requests know them; forwarding entries are neighbours.
  public enum Table: Hashable, Sendable {
    case neighbours, rules, qdiscs

    fileprivate var types: (add: Int, delete: Int) {
      switch self {
      case .neighbours: (RTM_NEWNEIGH, RTM_DELNEIGH)
      case .rules: (RTM_NEWRULE, RTM_DELRULE)
      case .qdiscs: (RTM_NEWQDISC, RTM_DELQDISC)
      }
    }
  }

  public let content: Content
  /// What a request needs to say, after its header.
  public private(set) var message: [UInt8]

  fileprivate init(_ content: Content, message: [UInt8]) {
    (self.content, self.message) = (content, message)
    // Of a bridge's own entries the kernel does not say that they are that, but wants to be told.
    if case .forwarding(let entry) = content, entry.isOfBridge {
      self.message[10] |= NeighbourFlags.own.rawValue
    }
  }
}

extension Batch {
  /// Adds an entry as it once was; EEXIST if there is one in its place.
  public mutating func addEntry(_ message: [UInt8], to table: TableEntry.Table) {
    append(table.types.add, flags: NLM_F_CREATE | NLM_F_EXCL) { $0.raw(message) }
  }

  /// Deletes an entry; ENOENT if there is none such.
  public mutating func deleteEntry(_ message: [UInt8], from table: TableEntry.Table) {
    append(table.types.delete) { $0.raw(message) }
  }
}

extension Connection {
  /// The neighbours, rules and queueing disciplines of the namespace; where there are bridges, their forwarding entries.
  ///
  /// - Parameter isWanted: tells which are kept.
  public func tableEntries(
    withBridges: Bool, where isWanted: (TableEntry.Content) -> Bool
  ) throws(NetlinkError) -> [TableEntry] {
    func list(
      _ request: Int, _ reply: Int, family: CInt, length: Int, _ decode: (RawSpan) -> TableEntry.Content?
    ) throws(NetlinkError) -> [TableEntry] {
      try dump(request, reply: reply) { buffer in
        buffer.field(UInt32(truncatingIfNeeded: family))
        buffer.raw([UInt8](repeating: 0, count: length - 4))
      } decode: { message in
        guard let content = decode(message), isWanted(content) else { return nil }
        return TableEntry(content, message: message.array)
      }
    }
    var entries = try list(RTM_GETNEIGH, RTM_NEWNEIGH, family: AF_UNSPEC, length: 12) {
      Neighbour(decoding: $0).map { .neighbour($0) }
    }
    if withBridges {
      entries += try list(RTM_GETNEIGH, RTM_NEWNEIGH, family: AF_BRIDGE, length: 12) {
        ForwardingEntry(decoding: $0).map { .forwarding($0) }
      }
    }
    entries += try list(RTM_GETRULE, RTM_NEWRULE, family: AF_UNSPEC, length: 12) {
      Rule(decoding: $0).map { .rule($0) }
    }
    return try entries
      + list(RTM_GETQDISC, RTM_NEWQDISC, family: AF_UNSPEC, length: 20) {
        Qdisc(decoding: $0).map { .qdisc($0) }
      }
  }
}
