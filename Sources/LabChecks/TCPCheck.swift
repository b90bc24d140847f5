import CNetlink
import Dispatch
import Glibc
import LabCapture
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import LabTrace
import Netlink
import Values

extension CheckRunner {
  func perform(_ check: TCP) async throws -> String {
    let target = try lab.address(of: check.to, from: check.from)
    let server = lab.port(owning: target)?.vm.name
    // No more than it takes the kernel to send again what got lost: that is noticed, not waited for.
    let limit: Int32 = 1000
    let (from, to) = (lab.namespace(of: check.from), server.map { lab.namespace(of: $0) })
    let port = UInt16(truncatingIfNeeded: check.port)
    // It blocks, which the threads that run tasks should not.
    let result = try await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(returning: Result { try exchange(from, to, target, port, limit: limit) })
      }
    }.get()
    guard result.error == 0 else {
      var passage = passage(check.from, check.to, target)
      (passage.probe.transport, passage.probe.port) = (.tcp, check.port)
      throw Failure(
        expected: "TCP port \(check.port) of \(target) to be reached, and bytes to go both ways",
        seen: "\(result.attempt(target, check.port)): \(errorText(result.error))"
          + (result.error == ETIMEDOUT ? " after \(limit) ms" : ""), passage: passage)
    }
    return result.foreign == 0
      ? "connected, bytes went both ways" : "connected to what listens there already"
  }
}

private func exchange(
  _ client: String, _ server: String?, _ target: IPAddress, _ port: UInt16, limit: Int32
) throws -> cnl_tcp_result {
  let clientNamespace = try NetworkNamespace.open(path: OpenNamespace.path(of: client))
  guard let server else {
    return unsafe cnl_exchange_tcp(
      -1, clientNamespace.rawDescriptor, target.bytes, Int32(target.bytes.count), port, limit)
  }
  let serverNamespace = try NetworkNamespace.open(path: OpenNamespace.path(of: server))
  return unsafe cnl_exchange_tcp(
    serverNamespace.rawDescriptor, clientNamespace.rawDescriptor, target.bytes, Int32(target.bytes.count),
    port,
    limit)
}

/// The kernel's words for an errno.
private func errorText(_ code: Int32) -> String {
  unsafe cnl_error_text(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}

extension cnl_tcp_result {
  /// What did not go well.
  fileprivate func attempt(_ target: IPAddress, _ port: Int) -> String {
    switch step {
    case CNL_TCP_LISTEN: "listening on \(target) port \(port)"
    case CNL_TCP_CONNECT: "connecting"
    case CNL_TCP_REQUEST: "connected, but sending to the server"
    default: "connected, but sending back from the server"
    }
  }
}
