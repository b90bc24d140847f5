/// The way of a packet through a lab, as predicted from the kernel's state, and what a real packet showed.
public struct Trace: Codable, Sendable {
  public var lab: String
  /// Name resolution first, where it is needed; then the packet, then its answer.
  public var phases: [Phase]
  public var outcome: Outcome
  /// What a real packet showed; nil if none was sent.
  public var proof: Proof?

  /// One packet's way.
  public struct Phase: Codable, Sendable {
    public enum Kind: String, Codable, Sendable { case resolution, resolutionAnswer, packet, answer }
    public var kind: Kind
    /// What is on its way, in words.
    public var packet: String
    /// What tells its frames from those of other phases.
    public var key = ""
    /// Whether it belongs to the way back.
    public var isReturn = false
    public var sections: [Section] = []
  }

  /// What one element (an IP stack, a bridge) does with the packet.
  public struct Section: Codable, Sendable {
    /// `ingress(vm="focal-1", dev="eth0")`
    public var title: String
    /// How many floods lie before it.
    public var depth: Int
    public var stages: [Stage] = []
  }

  public struct Stage: Codable, Sendable {
    public var number: Int
    /// What is looked at: `route`, `neighbour`, `fdb` …
    public var name: String
    /// What was looked up, and what matched.
    public var match: String
    /// What follows.
    public var actions: [String] = []
    /// Where the packet can be seen at this stage.
    public var hop: Hop?
    /// What was seen there.
    public var sighting: Sighting?
    public var drop: Drop?
  }

  /// A place where a packet can be seen.
  public struct Hop: Codable, Hashable, Sendable {
    public enum Direction: String, Codable, Sendable {
      case enters = "in"
      case leaves = "out"
    }
    /// The `ip netns` name.
    public var namespace: String
    public var device: String
    public var direction: Direction
    /// The VLAN tag it has there.
    public var tag: Int?
  }

  /// What was seen at a hop.
  public struct Sighting: Codable, Sendable {
    /// Whether the packet was seen.
    public var isSeen: Bool
    /// Nanoseconds since the packet was sent.
    public var nanoseconds: Int64?
    public var tag: Int?
  }

  /// The end of a way that is not the receiver.
  public struct Drop: Codable, Hashable, Sendable, Error {
    public var reason: DropReason
    /// The `ip netns` name.
    public var namespace: String
    public var device: String
    /// In one sentence: the device and the state that it is in.
    public var explanation: String
    /// A command that would change it.
    public var remedy: String?
  }

  public enum Outcome: Codable, Sendable {
    /// The devices that got it, as `focal-2 eth0`.
    case delivered(to: [String])
    case dropped(Drop)
  }

  /// Whether a real packet went where it was predicted to go.
  public struct Proof: Codable, Sendable {
    public var isAsPredicted: Bool
    /// Where the real packet first did something else.
    public var divergence: Drop?
    /// Where packets were seen and none was predicted.
    public var unexpected: [String]
    /// The devices' views that were missing, predicted and not seen.
    public var missing: [String]
    /// What the sender's kernel said, if it refused the packet.
    public var refusal: String?
    /// Why the kernel dropped packets, in its own words: `NETFILTER_DROP in nft_do_chain`; empty where it does not tell.
    public var kernelReasons: [String] = []
    /// Nanoseconds from sending to the last sighting.
    public var nanoseconds: Int64?
    /// Hops predicted, and those of them that were seen.
    public var hops: Int
    public var seen: Int
  }

  /// Whether the packet arrives, and, if one was sent, did so as predicted.
  public var isDelivered: Bool {
    guard case .delivered = outcome else { return false }
    return proof?.isAsPredicted ?? true
  }
}

/// Why a packet goes no further.
public enum DropReason: String, Codable, Sendable, CaseIterable {
  case deviceMissing, deviceDown, peerMissing, notABridgePort, mtuExceeded
  case noRoute, routeRefused, noSourceAddress, noAnswerToARP, wrongNeighbour, arpDisabled
  case addressNotLocal, notForMe, forwardingOff, reversePath, martianSource, timeToLive
  case portState, vlanNotAllowed, noPVID, unknownTag, tagNotRemoved, isolated, hairpin, floodingOff, locked
  case wrongForwardingEntry, nowhereToGo, wrongVLANPath
  case echoIgnored, ipv6Disabled, duplicateAddressDetected, duplicateAddress, duplicateMAC
  case portOption, linkLocalGroup, loop, notModelled
  case netfilter, trafficControl, lostInKernel, drift, wrongMAC
}
