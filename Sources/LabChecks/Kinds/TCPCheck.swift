import CNetlink
import Glibc
import LabKernel
import LabKit
import LabMachine
import LabModel
import LabTrace
import Netlink
import Values

extension TCP: RunnableCheck {
  static let tools: [CheckTool] = []

  func run(in context: CheckContext) async throws -> String {
    let lab = context.lab
    let target = try lab.address(of: to, from: from)
    // No more than it takes the kernel to send again what got lost: that is noticed, not waited for.
    let limit: Int32 = 1000
    let client = lab.namespace(of: from)
    let server = lab.port(owning: target).map { lab.namespace(of: $0.vm.name) }
    let number = UInt16(truncatingIfNeeded: port)
    let result = try await blocking { try exchange(client, server, target, number, limit: limit) }
    guard result.error == 0 else {
      var passage = context.passage(from, to, target)
      (passage.probe.transport, passage.probe.port) = (.tcp, port)
      throw Failure(
        expected: "TCP port \(port) of \(target) to be reached, and bytes to go both ways",
        seen: "\(result.attempt(target, port)): \(errorText(result.error))"
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
    port, limit)
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
