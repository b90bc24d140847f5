import CNetlink
import Glibc
import LabKernel
import Netlink
import Values

/// An Ethernet frame that netlab itself sends.
struct Frame {
  /// IEEE's "local experimental" type, which nobody else uses.
  static let witnessTypeText = "0x88b5"

  var bytes: [UInt8]

  /// A frame that no bridge forwards, with a mark of its own.
  ///
  /// - Parameter source: the sending device's own address, so that no forwarding table learns anything new.
  static func witness(from source: MACAddress, mark: [UInt8]) -> Frame {
    Frame(bytes: [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e] + source.bytes + [0x88, 0xb5] + mark).padded
  }

  /// A broadcast that asks who has an IPv4 address.
  static func arpRequest(from source: MACAddress, sender: IPAddress, target: IPAddress) -> Frame {
    let header = [UInt8](repeating: 0xff, count: 6) + source.bytes + [0x08, 0x06]
    let ethernetAndIPv4: [UInt8] = [0, 1, 0x08, 0, 6, 4, 0, 1]
    let unknown = [UInt8](repeating: 0, count: 6)
    return Frame(bytes: header + ethernetAndIPv4 + source.bytes + sender.bytes + unknown + target.bytes)
      .padded
  }

  /// At least as long as Ethernet wants it.
  private var padded: Frame {
    Frame(bytes: bytes + [UInt8](repeating: 0, count: max(0, 60 - bytes.count)))
  }

  /// Sends the frame out of a device.
  func send(from namespace: OpenNamespace, link: Int32) throws(NetlinkError) {
    let result = unsafe cnl_send_frame(namespace.namespace.rawDescriptor, link, bytes, bytes.count)
    guard result == 0 else {
      throw NetlinkError(operation: "send a frame in \(namespace.name)", code: errno)
    }
  }
}
