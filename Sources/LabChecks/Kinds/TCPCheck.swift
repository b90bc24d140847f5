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

  /// In milliseconds. No more than it takes the kernel to send again what got lost: that is noticed, not waited for.
  private static let limit: Int32 = 1000

  private var number: UInt16 { UInt16(truncatingIfNeeded: port) }

  func run(in context: CheckContext) async throws -> String {
    let target = try context.lab.address(of: to, from: from)
    let result = try await blocking { try exchange(with: target, in: context) }
    guard result.error == 0 else { throw try failure(result, target, in: context) }
    if listening == nil { return "connected" }
    return result.foreign == 0
      ? "connected, bytes went both ways" : "connected to what listens there already"
  }

  /// Connects to the target, which the check serves itself where it brings the listener.
  private func exchange(with target: IPAddress, in context: CheckContext) throws -> cnl_tcp_result {
    let client = try NetworkNamespace.open(path: context.namespace(of: from))
    func exchange(_ server: CInt) -> cnl_tcp_result {
      unsafe cnl_exchange_tcp(
        server, client.rawDescriptor, target.bytes, Int32(target.bytes.count), number, Self.limit)
    }
    guard listening == .byCheck, let owner = context.lab.port(owning: target) else { return exchange(-1) }
    let server = try NetworkNamespace.open(path: context.namespace(of: owner.vm.name))
    return exchange(server.rawDescriptor)
  }

  private func failure(
    _ result: cnl_tcp_result, _ target: IPAddress, in context: CheckContext
  ) throws -> Failure {
    var failure = Failure(
      expected: "TCP port \(port) of \(target) to be reached"
        + (listening == .byCheck ? ", and bytes to go both ways" : ""),
      seen: "\(result.attempt(target, port)): \(Self.words(for: result.error))")
    var passage = context.passage(from, to, target)
    (passage.probe.transport, passage.probe.port) = (.tcp, port)
    failure.passage = passage
    guard listening == nil, let vm = context.lab.port(owning: target)?.vm.name else { return failure }
    let server = try NetworkNamespace.open(path: context.namespace(of: vm))
    let isServed = unsafe cnl_tcp_is_served(
      server.rawDescriptor, target.bytes, Int32(target.bytes.count), number)
    if isServed == 1 { failure.seen += ", although somebody listens there" }
    guard isServed == 0 else { return failure }
    failure.seen = "nobody listens on \(target) port \(port) in \(vm)"
    // Refused is what the network should bring back then; any other end is for the network to explain as well.
    if result.error == ECONNREFUSED {
      failure.passage = nil
    } else {
      failure.seen += "; \(result.attempt(target, port)): \(Self.words(for: result.error))"
    }
    return failure
  }

  private static func words(for error: CInt) -> String {
    switch error {
    case ECONNREFUSED: "refused: \(errorText(error))"
    case ETIMEDOUT: "no answer within \(limit) ms"
    default: errorText(error)
    }
  }
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
