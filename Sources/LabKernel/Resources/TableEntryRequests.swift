import LabModel
import Netlink

extension LabModel.TableEntry: KernelResource, Requested {
  package func appendAdding(to batch: inout Batch, in target: RequestTarget) {
    batch.addEntry(message, to: table.kernelTable)
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) {
    batch.deleteEntry(message, from: table.kernelTable)
  }
}

extension LabModel.TableEntry.Table {
  /// The table as a request knows it.
  fileprivate var kernelTable: Netlink.TableEntry.Table {
    switch self {
    case .neighbour, .forwarding: .neighbours
    case .rule: .rules
    case .qdisc: .qdiscs
    }
  }
}
