import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Values

/// How a lab differs from what its file says, as far as it bears on one fault.
struct Drift {
  private let changes: [Change]
  private let observed: Blueprint
  private let lab: ResolvedLab
  /// The nodes at the ends of the way, the receiver first.
  private let ends: [String]

  init(from observed: Blueprint, to wanted: Blueprint, lab: ResolvedLab, ends: [String]) {
    changes = wanted.difference(from: observed).changes
    self.observed = observed
    self.lab = lab
    self.ends = ends
  }

  /// A fault with what the lab wants instead.
  struct Named {
    var fault: Trace.Drop
    /// `TwoVMs.swift:11 wants vlan 1 PVID Egress Untagged`
    var wish: String?
    var repair: [String]
  }

  /// Finds the drift that is behind a fault; it may be at another device than where the packet ends.
  func explain(_ fault: Trace.Drop) -> Named {
    let ranked = changes.map { (change: $0, weight: weight($0, fault)) }.filter { $0.weight > 0 }
    guard let likeliest = ranked.max(by: { $0.weight < $1.weight })?.change else {
      return Named(fault: fault, repair: [fault.remedy].compactMap { $0 })
    }
    let best = missingBridge(of: likeliest) ?? likeliest
    var fault = fault
    let device = best.resource.owner ?? fault.device
    if device != fault.device || best.resource.namespace != fault.namespace {
      (fault.device, fault.namespace) = (device, best.resource.namespace)
      fault.explanation = best.isMissingLink ? words(best) : "\(words(best)) (\(fault.explanation))"
      if best.isMissingLink { fault.reason = .deviceMissing }
      if fault.reason == .nowhereToGo || fault.reason == .noRoute || fault.reason == .noAnswerToARP {
        if best.attributes.contains("master") { fault.reason = .notABridgePort }
      }
    }
    if best.attributes.contains("address"),
      [.wrongNeighbour, .notForMe, .wrongForwardingEntry].contains(fault.reason)
    {
      fault.reason = .wrongMAC
    }
    // All that is wrong with the device, as adding one VLAN is no good while another is PVID.
    let together = changes.filter {
      $0.resource.namespace == fault.namespace && $0.resource.owner == best.resource.owner
    }
    let wish = best.resource.origin.map { "\($0.shortName):\($0.line) wants \(best.wish)" }
    // A cable takes both of its ends to be made again, with all that was on them.
    let repair =
      best.isMissingLink || best.attributes.contains("kind")
      ? ["netlab up \(lab.name)"] : Plan(from: observed, to: observed.making(together)).commands
    return Named(fault: fault, wish: wish, repair: repair)
  }

  /// The bridge that a device is off because it is not there.
  private func missingBridge(of change: Change) -> Change? {
    guard let link = change.resource as? Link, let master = link.master else { return nil }
    return changes.first {
      $0.isMissingLink && $0.resource.namespace == link.namespace && $0.resource.owner == master
    }
  }

  /// Drift at a device that the packets passed, although they arrived.
  func onPath(of trace: Trace, _ world: KernelSnapshot) -> Trace.Drop? {
    var passed = Set(trace.hops.map { [$0.namespace, $0.device] })
    for hop in trace.hops {
      guard let place = world.place(hop.namespace, hop.device), let master = world[place]?.master,
        let bridge = world.nodes[hop.namespace]?.devices[master]
      else { continue }
      passed.insert([hop.namespace, bridge.name])
    }
    let found = changes.first { change in
      guard let device = change.resource.owner else {
        return ends.contains { lab.namespace(of: $0) == change.resource.namespace }
      }
      return passed.contains([change.resource.namespace, device])
    }
    return found.map { fault($0, "packets arrive, but ") }
  }

  /// The disciplines at devices that the packets leave by: lossy ones lose some, as the lab says.
  func qdiscs(onPathOf trace: Trace) -> [Qdisc] {
    let passed = Set(trace.hops.map { [$0.namespace, $0.device] })
    return observed.qdiscs.filter { passed.contains([$0.namespace, $0.device]) }
  }

  /// Drift at a device.
  func at(_ namespace: String, _ device: String) -> Trace.Drop? {
    changes.first { $0.resource.namespace == namespace && $0.resource.owner == device }
      .map { fault($0, "") }
  }

  /// Drift at one of the ends of the way.
  var atAnEnd: Trace.Drop? {
    changes.first { change in ends.contains { concerns(change, $0) } }.map { fault($0, "") }
  }

  private func fault(_ change: Change, _ lead: String) -> Trace.Drop {
    Trace.Drop(
      reason: .drift, namespace: change.resource.namespace, device: change.resource.owner ?? "",
      explanation: lead + words(change))
  }

  private func words(_ change: Change) -> String {
    switch change {
    case .create(let resource): "\(resource) is missing"
    case .delete(let resource): "\(resource) is there and should not be"
    case .update(let resource, _, let differences):
      "\(resource): " + differences.map { "\($0.attribute) is \($0.observed)" }.joined(separator: ", ")
    }
  }

  /// How much a change has to do with a fault; 0: nothing.
  private func weight(_ change: Change, _ fault: Trace.Drop) -> Int {
    let resource = change.resource
    let isSamePlace = resource.namespace == fault.namespace && resource.owner == fault.device
    let isSameNode = resource.namespace == fault.namespace
    let kind = isOfKind(change, fault.reason)
    if isSamePlace { return kind ? 100 : 40 }
    guard kind, concernsPath(change) else { return 0 }
    if let link = resource as? Link, link.master == fault.device, isSameNode { return 90 }
    return (isSameNode ? 60 : 50) + (isAtReceiver(change) ? 5 : 0)
  }

  /// Whether a change can have the effect that was seen.
  private func isOfKind(_ change: Change, _ reason: DropReason) -> Bool {
    (change.resource as? any PacketResource)?.canCause(reason, change) ?? false
  }

  /// Whether a change is at one of the ends, at a device of one of their ports, or at a bridge.
  private func concernsPath(_ change: Change) -> Bool {
    ends.contains { concerns(change, $0) } || change.resource.isBridge
  }

  private func isAtReceiver(_ change: Change) -> Bool { ends.first.map { concerns(change, $0) } ?? false }

  private func concerns(_ change: Change, _ name: String) -> Bool {
    guard let vm = lab.vm(name) else { return false }
    if change.resource.namespace == lab.namespace(of: name) { return true }
    guard let device = change.resource.owner, change.resource.namespace == lab.namespace(of: vm.host)
    else {
      return false
    }
    return vm.allPorts.contains { device.contains($0.id.prefix(8)) }
  }
}

extension Change {
  /// The names of the attributes that differ.
  var attributes: Set<String> { Set(differences.map(\.attribute)) }

  fileprivate var isMissingLink: Bool {
    if case .create(let resource) = self { resource is Link } else { false }
  }

  fileprivate var wish: String {
    switch self {
    case .create(let resource): resource.wish
    case .delete(let resource): "no \(resource)"
    case .update(_, _, let differences):
      differences.map { "\($0.attribute) \($0.wanted)" }.joined(separator: ", ")
    }
  }
}

extension Resource {
  fileprivate var isBridge: Bool { (self as? Link)?.kind is Bridge }
}

extension SourceLocation {
  /// The file's name without its folder.
  fileprivate var shortName: String { String(file.split(separator: "/").last ?? "") }
}
