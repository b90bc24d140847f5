import LabModel
import Netlink

extension LabModel.BridgeVLAN: KernelResource, Requested {
  package static let aspects: KernelState.Aspects = .vlans

  package static func found(in node: ObservedNode) -> [LabModel.BridgeVLAN] {
    node.state.vlans.flatMap { port -> [LabModel.BridgeVLAN] in
      guard let device = node.name(of: port.link) else { return [] }
      let isOnBridge = if case .bridge = node.state[port.link]?.kind { true } else { false }
      return port.vlans.map { vlan in
        var found = LabModel.BridgeVLAN(
          namespace: node.name, device: device, vid: Int(vlan.first), isPVID: vlan.isPVID,
          isUntagged: vlan.isUntagged)
        found.isOnBridge = isOnBridge
        return found
      }
    }
  }

  private var request: Netlink.BridgeVLAN {
    Netlink.BridgeVLAN(UInt16(vid), isPVID: isPVID, isUntagged: isUntagged)
  }

  package func appendAdding(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.addBridgeVLAN(request, toPort: try target.index(device), onBridge: isOnBridge)
  }

  package func appendDeleting(to batch: inout Batch, in target: RequestTarget) throws(StepFailure) {
    batch.deleteBridgeVLAN(request, fromPort: try target.index(device), onBridge: isOnBridge)
  }
}
