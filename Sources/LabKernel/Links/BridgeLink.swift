import LabModel
import Netlink

extension Bridge: KernelLinkKind {
  package init?(_ link: Netlink.Link, in view: any LinkView) {
    guard case .bridge(let options) = link.kind else { return nil }
    self.init(
      vlanFiltering: options.vlanFiltering, defaultPVID: options.vlanDefaultPVID.map(Int.init),
      stp: options.stpState, forwardDelay: options.forwardDelay.map(Int.init),
      ageingTime: options.ageingTime.map(Int.init), multicastSnooping: options.multicastSnooping)
  }

  package func creation(in target: RequestTarget) -> NewLink.Kind? { .bridge(request) }

  package var bridgeOptions: Netlink.BridgeOptions? { request }

  private var request: Netlink.BridgeOptions {
    Netlink.BridgeOptions(
      vlanFiltering: vlanFiltering, vlanDefaultPVID: defaultPVID.map(UInt16.init), stpState: stp,
      forwardDelay: forwardDelay.map(UInt32.init), ageingTime: ageingTime.map(UInt32.init),
      multicastSnooping: multicastSnooping)
  }
}
