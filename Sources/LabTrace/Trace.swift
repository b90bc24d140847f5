import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// The way of a packet through a lab, as predicted from the kernel's state, and what a real packet showed.
package struct Trace: Codable, Sendable {
  package var lab: String
  /// Name resolution first, where it is needed; then the packet, then its answer.
  package var phases: [Phase]
  package var outcome: Outcome
  /// What a real packet showed; nil if none was sent.
  package var proof: Proof?

  /// One packet's way.
  package struct Phase: Codable, Sendable {
    package enum Kind: String, Codable, Sendable { case resolution, resolutionAnswer, packet, answer }
    package var kind: Kind
    /// What is on its way, in words.
    package var packet: String
    /// What tells its frames from those of other phases.
    package var key = ""
    /// Whether it belongs to the way back.
    package var isReturn = false
    package var sections: [Section] = []
  }

  /// What one element (an IP stack, a bridge) does with the packet.
  package struct Section: Codable, Sendable {
    package enum Kind: String, Codable, Sendable {
      case ingress, egress, bridge
      /// One of the ways that a flood takes.
      case output
    }
    package var kind: Kind
    /// `ingress(vm="focal-1", dev="eth0")`
    package var title: String
    /// How many floods lie before it.
    package var depth: Int
    package var stages: [Stage] = []
  }

  package struct Stage: Codable, Sendable {
    package var number: Int
    /// What is looked at: `route`, `neighbour`, `fdb` …
    package var name: String
    /// What was looked up, and what matched.
    package var match: String
    /// What follows.
    package var actions: [String] = []
    /// Where the packet can be seen at this stage.
    package var hop: Hop?
    /// What was seen there.
    package var sighting: Sighting?
    package var drop: Drop?
  }

  /// A place where a packet can be seen.
  package struct Hop: Codable, Hashable, Sendable {
    package enum Direction: String, Codable, Sendable {
      case enters = "in"
      case leaves = "out"
    }
    /// The `ip netns` name.
    package var namespace: String
    package var device: String
    package var direction: Direction
    /// The VLAN tag it has there.
    package var tag: Int?
  }

  /// What was seen at a hop.
  package struct Sighting: Codable, Sendable {
    /// Whether the packet was seen.
    package var isSeen: Bool
    /// Nanoseconds since the packet was sent.
    package var nanoseconds: Int64?
    package var tag: Int?
  }

  /// The end of a way that is not the receiver.
  package struct Drop: Codable, Hashable, Sendable, Error {
    package var reason: DropReason
    /// The `ip netns` name.
    package var namespace: String
    package var device: String
    /// In one sentence: the device and the state that it is in.
    package var explanation: String
    /// A command that would change it.
    package var remedy: String?
  }

  package enum Outcome: Codable, Sendable {
    /// The devices that got it, as `focal-2 eth0`.
    case delivered(to: [String])
    case dropped(Drop)
  }

  /// Whether a real packet went where it was predicted to go.
  package struct Proof: Codable, Sendable {
    package var isAsPredicted: Bool
    /// Where the real packet first did something else.
    package var divergence: Drop?
    /// Where packets were seen and none was predicted.
    package var unexpected: [String]
    /// The devices' views that were missing, predicted and not seen.
    package var missing: [String]
    /// What the sender's kernel said, if it refused the packet.
    package var refusal: String?
    /// Why the kernel dropped packets, in its own words: `NETFILTER_DROP in nft_do_chain`; empty where it does not tell.
    package var kernelReasons: [String] = []
    /// Nanoseconds from sending to the last sighting.
    package var nanoseconds: Int64?
    /// Hops predicted, and those of them that were seen.
    package var hops: Int
    package var seen: Int
  }

  /// Whether the packet arrives, and, if one was sent, did so as predicted.
  package var isDelivered: Bool {
    guard case .delivered = outcome else { return false }
    return proof?.isAsPredicted ?? true
  }
}

/// Why a packet goes no further.
package enum DropReason: String, Codable, Sendable, CaseIterable {
  case deviceMissing, deviceDown, peerMissing, notABridgePort, mtuExceeded
  case noRoute, routeRefused, noSourceAddress, noAnswerToARP, wrongNeighbour, arpDisabled
  case addressNotLocal, notForMe, forwardingOff, reversePath, martianSource, timeToLive
  case portState, vlanNotAllowed, noPVID, unknownTag, tagNotRemoved, isolated, hairpin, floodingOff, locked
  case wrongForwardingEntry, nowhereToGo, wrongVLANPath
  case echoIgnored, ipv6Disabled, duplicateAddressDetected, duplicateAddress, duplicateMAC
  case portOption, linkLocalGroup, loop, notModelled
  case netfilter, trafficControl, lostInKernel, drift, wrongMAC
}
