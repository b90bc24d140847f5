import CNetlink
import Glibc
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// Packet sockets in all of a lab's namespaces: one each, which sees every device of it.
///
/// Closing a packet socket takes a grace period of the kernel's, so there is one a namespace rather than one a device.
final class Taps {
  private let namespaces: [String]
  private let descriptors: [CInt]

  /// A frame seen at a device.
  struct Glimpse {
    var namespace: String
    var device: Int32
    var isOutgoing: Bool
    var tag: Int?
    /// Nanoseconds since 1970.
    var time: Int64
    var bytes: ArraySlice<UInt8>
  }

  /// Opens taps that see what passes between two addresses, the resolution of addresses, and raw probes.
  init(_ open: OpenNamespaces, between first: IPAddress?, and second: IPAddress?) throws(RunnerError) {
    var filter = cnl_tap_filter()
    if let first = first?.bytes, let second = second?.bytes, first.count == second.count {
      filter.length = CInt(first.count)
      unsafe withUnsafeMutableBytes(of: &filter.first) { unsafe $0.copyBytes(from: first) }
      unsafe withUnsafeMutableBytes(of: &filter.second) { unsafe $0.copyBytes(from: second) }
    }
    var names: [String] = []
    var opened: [CInt] = []
    var failure: RunnerError?
    for (name, namespace) in open.byName {
      let tap = unsafe cnl_tap_open(namespace.namespace.rawDescriptor, &filter)
      if tap < 0 {
        failure = RunnerError(
          errno == EPERM ? .environment : .kernel,
          "cannot look at packets in \(name): \(unsafe String(cString: strerror(errno)))",
          remedy: "--predict-only needs no packet sockets.")
        break
      }
      names.append(name)
      opened.append(tap)
    }
    namespaces = names
    descriptors = opened
    if let failure { throw failure }
  }

  deinit { unsafe cnl_tap_close(descriptors, CInt(descriptors.count)) }

  /// Takes what the taps have seen, after waiting for it up to a limit in milliseconds.
  func next(waiting milliseconds: Int) -> [Glimpse] {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&polled, nfds_t(polled.count), CInt(milliseconds)) > 0 else { return [] }
    return polled.indices.filter { polled[$0].revents != 0 }.flatMap(read).sorted { $0.time < $1.time }
  }

  private func read(_ place: Int) -> [Glimpse] {
    var glimpses: [Glimpse] = []
    var frame = cnl_tap_frame()
    var bytes = [UInt8](repeating: 0, count: 256)
    while unsafe cnl_tap_read(descriptors[place], &frame, &bytes, bytes.count) > 0 {
      glimpses.append(
        Glimpse(
          namespace: namespaces[place], device: frame.ifindex, isOutgoing: frame.is_outgoing != 0,
          tag: frame.tag >= 0 ? Int(frame.tag) : nil, time: frame.time, bytes: bytes.prefix(frame.length)))
    }
    return glimpses
  }
}
