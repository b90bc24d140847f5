import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

extension CheckRunner {
  func perform(_ check: SameTag) throws -> String {
    let tags = try tags(of: check.first, and: check.second)
    guard tags.first == tags.second else {
      throw Failure(
        expected: "\(check.first) and \(check.second) with the same tag",
        seen: text(tags, check.first, check.second))
    }
    return "both have tag \(tags.first)"
  }

  func perform(_ check: DifferentTag) throws -> String {
    let tags = try tags(of: check.first, and: check.second)
    guard tags.first != tags.second else {
      throw Failure(
        expected: "\(check.first) and \(check.second) with different tags",
        seen: text(tags, check.first, check.second))
    }
    return "tags \(tags.first) and \(tags.second)"
  }

  private func text(_ tags: (first: UInt16, second: UInt16), _ first: String, _ second: String) -> String {
    "\(first) has tag \(tags.first), \(second) has tag \(tags.second)"
  }

  private func tags(of first: String, and second: String) throws -> (first: UInt16, second: UInt16) {
    guard lab.datapath == .hybrid else {
      throw Skip(reason: "the \(lab.datapath.rawValue) datapath has no tags")
    }
    let (one, other) = try (vm(first), vm(second))
    guard one.host == other.host else {
      throw Failure(
        expected: "\(first) and \(second) on one host, since a tag means nothing outside of its host",
        seen: "they are on \(one.host) and \(other.host)")
    }
    return try (tag(of: one), tag(of: other))
  }

  /// The PVID of the VM's first port in `br-int`.
  private func tag(of vm: ResolvedVM) throws -> UInt16 {
    let device = DeviceName.qvo(try port(of: vm.name, on: nil))
    let connection = try open(vm.host).connection
    let link = try connection.link(named: device)
    let vlans = try connection.bridgeVLANs().first { $0.link == link.index }?.vlans ?? []
    guard let tag = vlans.first(where: \.isPVID) else {
      let seen = vlans.isEmpty ? "it is in no VLAN" : "it is only in \(vlans.map { "VLAN \($0.first)" })"
      throw Failure(expected: "a tag (PVID) on \(vm.name)'s port \(device)", seen: seen)
    }
    return tag.first
  }
}
