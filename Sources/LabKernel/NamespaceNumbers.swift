import LabKit
import LabMachine
import LabModel
import Netlink
import Values

/// The numbers by which namespaces know each other, each asked for once.
final class NamespaceNumbers {
  private var known: [Pair: Int32?] = [:]

  private struct Pair: Hashable {
    var namespace: String
    var other: String
  }

  /// The number of `other` in `namespace`; `nil` when it has none there.
  func number(of other: OpenNamespace, in namespace: OpenNamespace) throws(NetlinkError) -> Int32? {
    let pair = Pair(namespace: namespace.name, other: other.name)
    if let number = known[pair] { return number }
    let number = try namespace.connection.namespaceID(of: other.namespace)
    known[pair] = .some(number)
    return number
  }
}
