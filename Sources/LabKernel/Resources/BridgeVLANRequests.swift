import LabModel
import Netlink

extension LabModel.BridgeVLAN: KernelResource, Requested {
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
