import LabKernel
import LabKit
import LabMachine
import LabModel
import Netlink

extension SameTag: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) throws -> String {
    let tags = try TagPair(of: first, and: second, in: context)
    guard tags.first == tags.second else {
      throw Failure(expected: "\(first) and \(second) with the same tag", seen: tags.text)
    }
    return "both have tag \(tags.first)"
  }
}

extension DifferentTag: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) throws -> String {
    let tags = try TagPair(of: first, and: second, in: context)
    guard tags.first != tags.second else {
      throw Failure(expected: "\(first) and \(second) with different tags", seen: tags.text)
    }
    return "tags \(tags.first) and \(tags.second)"
  }
}

/// The tags of two VMs on one host.
private struct TagPair {
  var first: UInt16
  var second: UInt16
  var text: String

  init(of first: String, and second: String, in context: CheckContext) throws {
    let (one, other) = try (context.vm(first), context.vm(second))
    guard one.host == other.host else {
      throw Failure(
        expected: "\(first) and \(second) on one host, since a tag means nothing outside of its host",
        seen: "they are on \(one.host) and \(other.host)")
    }
    self.first = try Self.tag(of: one, in: context)
    self.second = try Self.tag(of: other, in: context)
    text = "\(first) has tag \(self.first), \(second) has tag \(self.second)"
  }

  /// The PVID of the VM's first port in `br-int`.
  private static func tag(of vm: ResolvedNode, in context: CheckContext) throws -> UInt16 {
    let datapath = context.lab.datapath
    guard let device = datapath.wiring.taggedDevice(of: try context.port(of: vm.name, on: nil)) else {
      throw Skip(reason: "the \(datapath.rawValue) datapath has no tags")
    }
    let port = try context.device(device, of: vm.host)
    let vlans = try port.namespace.connection.bridgeVLANs().first { $0.link == port.link.index }?.vlans ?? []
    guard let tag = vlans.first(where: \.isPVID) else {
      let seen = vlans.isEmpty ? "it is in no VLAN" : "it is only in \(vlans.map { "VLAN \($0.first)" })"
      throw Failure(expected: "a tag (PVID) on \(vm.name)'s port \(device)", seen: seen)
    }
    return tag.first
  }
}
