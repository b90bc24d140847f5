import LabModel
import Netlink

extension LabModel.Qdisc: KernelResource, Requested {
  package static let aspects: KernelState.Aspects = .addedEntries

  package static func found(in node: ObservedNode) -> [LabModel.Qdisc] {
    node.state.entries.compactMap { entry in
      guard case .qdisc(let found) = entry.content, let device = node.name(of: found.link) else { return nil }
      return LabModel.Qdisc(found, in: node.name, device: device)
    }
  }

  package func appendAdding(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.replaceQdisc(Netlink.Qdisc(link: try target.index(device), kind: Netlink.Qdisc.Kind(discipline)))
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.deleteQdisc(ofLink: try target.index(device))
  }

  /// What was read; `nil` for what the kernel made by itself, and for what cannot be said exactly in a lab's terms.
  init?(_ found: Netlink.Qdisc, in namespace: String, device: String) {
    guard found.handle != 0, found.parent == Netlink.Qdisc.root, let discipline = Discipline(found.kind)
    else {
      return nil
    }
    self.init(namespace: namespace, device: device, discipline: discipline)
  }
}

extension LabModel.Qdisc.Discipline {
  fileprivate init?(_ kind: Netlink.Qdisc.Kind) {
    switch kind {
    case .netem(let found) where !found.hasMore:
      var netem = LabModel.Qdisc.Netem()
      netem.delay = Int(clamping: found.delay)
      netem.jitter = Int(clamping: found.jitter)
      netem.loss = LabModel.Qdisc.Share(rawValue: found.loss.rawValue)
      netem.duplicate = LabModel.Qdisc.Share(rawValue: found.duplicate.rawValue)
      netem.reorder = LabModel.Qdisc.Share(rawValue: found.reorder.rawValue)
      netem.corrupt = LabModel.Qdisc.Share(rawValue: found.corrupt.rawValue)
      netem.rate = Int(clamping: found.rate)
      netem.limit = Int(found.limit)
      self = .netem(netem)
    case .tbf(let found) where !found.hasMore:
      self = .tbf(
        LabModel.Qdisc.TokenBucket(
          rate: Int(clamping: found.rate), burst: Int(found.burst), limit: Int(found.limit)))
    default: return nil
    }
  }
}

extension Netlink.Qdisc.Kind {
  fileprivate init(_ discipline: LabModel.Qdisc.Discipline) {
    switch discipline {
    case .netem(let wanted):
      self = .netem(
        Netem(
          delay: UInt64(clamping: wanted.delay), jitter: UInt64(clamping: wanted.jitter),
          loss: Netem.Share(rawValue: wanted.loss.rawValue),
          duplicate: Netem.Share(rawValue: wanted.duplicate.rawValue),
          reorder: Netem.Share(rawValue: wanted.reorder.rawValue),
          corrupt: Netem.Share(rawValue: wanted.corrupt.rawValue), rate: UInt64(clamping: wanted.rate),
          limit: UInt32(clamping: wanted.limit)))
    case .tbf(let wanted):
      self = .tbf(
        TokenBucket(
          rate: UInt64(clamping: wanted.rate), burst: UInt32(clamping: wanted.burst),
          limit: UInt32(clamping: wanted.limit)))
    }
  }
}
