import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// A frame on its way through a lab.
struct Packet: Hashable, Sendable {
  var source: MACAddress
  var destination: MACAddress
  /// The 802.1Q tag it carries, as metadata or in its bytes.
  var tag: Int?
  /// The bridge's port that left the tag on.
  var taggedBy: Place?
  var payload: Payload

  enum Payload: Hashable, Sendable {
    /// ARP, or IPv6 neighbour discovery: who has `target`? / `target` is at `source`.
    case resolution(isRequest: Bool, sender: IPAddress, target: IPAddress)
    case ip(IPPacket)
    /// A frame with nothing above Ethernet that the receiver knows.
    case raw
  }

  static let broadcast = MACAddress(value: 0xffff_ffff_ffff)

  /// The bytes after the Ethernet header.
  var length: Int {
    switch payload {
    case .ip(let packet): packet.length
    case .resolution(_, let sender, _): sender.family == .ipv4 ? 28 : 72
    case .raw: 46
    }
  }

  var isIPv4: Bool {
    switch payload {
    case .ip(let packet): packet.destination.family == .ipv4
    case .resolution, .raw: false
    }
  }
}

struct IPPacket: Hashable, Sendable, CustomStringConvertible {
  var source: IPAddress
  var destination: IPAddress
  var content: Content
  /// In bytes, with the IP header.
  var length: Int
  var timeToLive = 64

  enum Content: Hashable, Sendable {
    case echoRequest, echoReply
    case udp(port: Int)
    case tcp(port: Int)
    /// What answers UDP and TCP: something from the port, or the kernel's refusal.
    case answer(String)
  }

  var description: String {
    let what =
      switch content {
      case .echoRequest: "icmp echo request"
      case .echoReply: "icmp echo reply"
      case .udp(let port): "udp to port \(port)"
      case .tcp(let port): "tcp SYN to port \(port)"
      case .answer(let words): words
      }
    return "\(what), \(source) > \(destination), \(length) bytes"
  }
}
