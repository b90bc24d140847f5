import Dispatch
import Glibc
import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import SystemPackage
import Values

extension LiveCapture {
  /// Captures into a file, as ``write(to:limit:ready:)`` does; what was in the file is replaced.
  package func write(toFile path: String, limit: Int? = nil, ready: () -> Void) async throws -> Summary {
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw RunnerError(.environment, "cannot write \(path): \(error)")
    }
    defer { try? file.close() }
    return try await write(to: file.rawValue, limit: limit, ready: ready)
  }

  /// Captures into a file in pcapng format: one interface for each place, times in nanoseconds.
  ///
  /// - Parameters:
  ///   - descriptor: is written to as packets come, so that it may be a pipe to Wireshark.
  ///   - limit: how many packets; `nil` until the task is cancelled or the file's reader is gone.
  ///   - ready: called when everything that passes is captured.
  package func write(to descriptor: CInt, limit: Int? = nil, ready: () -> Void) async throws -> Summary {
    let output = CaptureOutput(descriptor: descriptor)
    var head = PcapNG()
    head.sectionHeader(application: "netlab", comment: "lab \(lab)")
    for place in places {
      head.interface(
        name: "\(place.device)", description: place.role, mac: place.mac, filter: filter,
        comment: "\(place.device.name) in namespace \(place.namespace)")
    }
    let reader = try await open()
    ready()
    // Cancelling ends the capture, not the writing of what came before.
    let writing = Task { [head] in
      guard try await output.write(head.bytes) else { return Summary(packets: 0, lost: 0) }
      let packets = try await reader.forEachBatch(limit: limit) { packets in
        var blocks = PcapNG()
        for packet in packets { blocks.packet(packet) }
        return try await output.write(blocks.bytes)
      }
      let counts = reader.counts()
      var tail = PcapNG()
      for (place, count) in counts.enumerated() {
        tail.statistics(place: place, seen: count.seen, lost: count.lost)
      }
      _ = try await output.write(tail.bytes)
      return Summary(packets: packets, lost: counts.reduce(0) { $0 + $1.lost })
    }
    return try await withTaskCancellationHandler {
      try await writing.value
    } onCancel: {
      reader.stop()
    }
  }
}

/// Where captured packets are written: by a thread of its own, as whoever reads them may be slow.
struct CaptureOutput: Sendable {
  let descriptor: CInt
  private let queue = DispatchQueue(label: "netlab.capture-output")

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Writes all bytes; `false` when nobody reads them any more.
  func write(_ bytes: [UInt8]) async throws -> Bool {
    try await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Result { try writeAll(bytes) }) }
    }.get()
  }

  private func writeAll(_ bytes: [UInt8]) throws -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EPIPE {
        return false
      } else if errno == EAGAIN {
        var set = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&set, 1, -1)
      } else if errno != EINTR {
        throw RunnerError(.environment, "cannot write the capture: \(FileError("write").code)")
      }
    }
    return true
  }
}
