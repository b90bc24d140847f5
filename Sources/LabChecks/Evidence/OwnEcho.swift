import CNetlink
import Glibc
import LabKernel
import Netlink
import Values

/// Echo requests of netlab's own, from a raw socket in a node's namespace: what takes ping's place where it cannot be used.
struct OwnEcho {
  let request: PingRequest
  let identifier: UInt16

  /// Sends the requests: how many were answered, and with which words the kernel refused one.
  func send(from node: String, in context: CheckContext) async throws -> PingSummary {
    let answers = try await blocking { try exchange(in: context.open(node)) }
    return PingSummary(
      roundTrips: answers.map(\.round_trip).filter { $0 > 0 },
      reason: answers.map(\.error).first { $0 != 0 }.map(errorText))
  }

  /// Blocks until all answers are there, or were waited for long enough.
  private func exchange(in namespace: OpenNamespace) throws(NetlinkError) -> [cnl_echo] {
    let size = request.size ?? 56
    guard size >= CNL_ECHO_LEAST else { throw error("send \(size) bytes", EINVAL) }
    var (namespaces, families) = ([namespace.namespace.rawDescriptor], [CInt(isIPv4 ? 4 : 6)])
    var sockets: [CInt] = [-1]
    guard unsafe cnl_open_echo_sockets(&namespaces, &families, 1, &sockets) == 0 else {
      throw error("open a raw ICMP socket", errno)
    }
    defer { close(sockets[0]) }
    try configure(sockets[0])
    var answers: [cnl_echo] = []
    while answers.count < request.count {
      var echoes = (0..<min(request.burst, request.count - answers.count)).map { _ in
        var echo = cnl_echo()
        echo.expected = 1
        unsafe withUnsafeMutableBytes(of: &echo.address) { unsafe $0.copyBytes(from: request.target.bytes) }
        return echo
      }
      let exchange = cnl_echo_exchange(
        identifier: identifier, size: CInt(size), cookie: .random(in: .min ... .max),
        patience: Int64(request.timeout) * 1_000_000, grace: 0)
      let result = unsafe cnl_exchange_echoes(sockets, families, 1, &echoes, CInt(echoes.count), exchange)
      guard result == 0 else { throw error("exchange ICMP echoes", errno) }
      // For want of memory nothing was sent: that is not the network's doing.
      if let lack = echoes.map(\.error).first(where: { [ENOBUFS, ENOMEM, EAGAIN, EINTR].contains($0) }) {
        throw error("send an echo request", lack)
      }
      answers += echoes
    }
    return answers
  }

  private var isIPv4: Bool { request.target.family == .ipv4 }

  /// As ping has it with `-b`, and with `-M do`.
  private func configure(_ socket: CInt) throws(NetlinkError) {
    var options: [(level: CInt, name: CInt, value: CInt)] = [(SOL_SOCKET, SO_BROADCAST, 1)]
    if request.dontFragment, isIPv4 {
      options.append((CInt(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_DO))
    } else if request.dontFragment {
      options.append((CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO))
      options.append((CInt(IPPROTO_IPV6), IPV6_DONTFRAG, 1))
    }
    for (level, name, value) in options {
      var value = value
      guard unsafe setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
        throw error("set an option of a raw ICMP socket", errno)
      }
    }
  }

  private func error(_ operation: String, _ code: CInt) -> NetlinkError {
    NetlinkError(operation: operation, code: code)
  }
}
