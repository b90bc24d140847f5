import CNetlink
import Glibc
import LabKernel
import LabModel
import Netlink
import Values

/// The VMs between which echo requests go, open: a raw socket and what is known of the neighbours of each.
final class EchoStations {
  private let nodes: [Int: Node]
  private let sockets: [CInt]
  private let families: [CInt]
  private let identifier: UInt16
  private var cookie = UInt64.random(in: .min ... .max)
  /// The MACs that addresses were found to have, by the device they were found through.
  private var macs: [IPAddress: Set<MACAddress>] = [:]

  private struct Node {
    let namespace: OpenNamespace
    let socket: [IPAddress.Family: Int]
    /// Entries that were there before, which stay as they are.
    let known: Set<Entry>
  }

  private struct Entry: Hashable {
    var link: Int32
    var address: IPAddress
  }

  /// Opens the namespaces of VMs (indices into the lab's), and sockets for the families of their addresses.
  init(_ vms: [Int], of lab: ResolvedLab, identifier: UInt16, open: (String) throws -> OpenNamespace) throws {
    // Its two, and a raw socket for each family.
    try DescriptorLimit.raise(toFit: 2 * vms.count)
    self.identifier = identifier
    var nodes: [Int: Node] = [:]
    var namespaces: [CInt] = []
    var families: [CInt] = []
    for vm in vms {
      let namespace = try open(lab.vms[vm].name)
      namespace.learn(try namespace.connection.links(), as: [:])
      let entries = try namespace.connection.neighbours().map { Entry(link: $0.link, address: $0.address) }
      var socket: [IPAddress.Family: Int] = [:]
      for family in Set(lab.vms[vm].allPorts.flatMap(\.addresses).map(\.family)) {
        socket[family] = families.count
        namespaces.append(namespace.namespace.rawDescriptor)
        families.append(family == .ipv4 ? 4 : 6)
      }
      nodes[vm] = Node(namespace: namespace, socket: socket, known: Set(entries))
    }
    var sockets = [CInt](repeating: -1, count: families.count)
    guard unsafe cnl_open_echo_sockets(&namespaces, &families, CInt(families.count), &sockets) == 0 else {
      throw NetlinkError(operation: "open raw ICMP sockets in \(vms.count) namespaces", code: errno)
    }
    (self.nodes, self.families, self.sockets) = (nodes, families, sockets)
  }

  deinit { for socket in sockets { close(socket) } }

  /// What came of an echo request.
  struct Answer {
    /// Nanoseconds; `nil` without an answer.
    var roundTrip: Int64?
    /// The errno with which the sender's own kernel refused it, or 0.
    var error: CInt
  }

  /// Sends a request for each path, and waits for the answers.
  ///
  /// - Parameters:
  ///   - patience: Nanoseconds without any answer after which the missing ones are given up.
  ///   - grace: Nanoseconds for which answers that must not come are waited for at least.
  func exchange(_ paths: [PairRules.Path], patience: Int64, grace: Int64) throws -> [Answer] {
    guard !paths.isEmpty else { return [] }
    cookie &+= 1
    var echoes = paths.map { path in
      var echo = cnl_echo()
      echo.socket = CInt(nodes[path.sender]?.socket[path.address.family] ?? 0)
      echo.expected = path.isAllowed ? 1 : 0
      unsafe withUnsafeMutableBytes(of: &echo.address) { unsafe $0.copyBytes(from: path.address.bytes) }
      return echo
    }
    let exchange = cnl_echo_exchange(
      identifier: identifier, size: 56, cookie: cookie, patience: patience, grace: grace)
    let result = unsafe cnl_exchange_echoes(
      sockets, families, CInt(sockets.count), &echoes, CInt(echoes.count), exchange)
    guard result == 0 else { throw NetlinkError(operation: "exchange ICMP echoes", code: errno) }
    return echoes.map { Answer(roundTrip: $0.round_trip > 0 ? $0.round_trip : nil, error: $0.error) }
  }

  // MARK: - Neighbours

  /// Remembers which MACs the senders of these paths found for their targets.
  func learn(from paths: [PairRules.Path]) throws {
    for (sender, paths) in Dictionary(grouping: paths, by: \.sender) {
      let targets = Set(paths.map(\.address))
      for neighbour in try nodes[sender]?.namespace.connection.neighbours() ?? [] {
        guard let mac = neighbour.linkLayerAddress, targets.contains(neighbour.address) else { continue }
        macs[neighbour.address, default: []].insert(mac)
      }
    }
  }

  /// Tells both ends of each allowed path the other's MAC where it was learnt, and nothing where more than one was.
  func introduce(_ paths: [PairRules.Path]) throws {
    try change(paths.filter(\.isAllowed)) { batch, entry, address in
      guard let found = macs[address], found.count == 1, let mac = found.first else { return }
      batch.addNeighbour(
        Netlink.Neighbour(
          link: entry.link, address: entry.address, linkLayerAddress: mac, state: .stale))
    }
  }

  /// Removes what the exchange on these paths left in the neighbour tables, which all namespaces share the room of.
  func forget(_ paths: [PairRules.Path]) throws {
    try change(paths) { batch, entry, _ in
      batch.deleteNeighbour(Netlink.Neighbour(link: entry.link, address: entry.address, state: []))
    }
  }

  /// Puts one request for each end of each path, that is, for each neighbour that was not there before. An entry that
  /// is there already, or is gone already, is as it should be.
  private func change(
    _ paths: [PairRules.Path], _ request: (inout Batch, Entry, IPAddress) -> Void
  ) throws {
    var ends: [Int: Set<IPAddress>] = [:]
    var batches: [Int: Batch] = [:]
    func add(_ vm: Int, _ device: String?, _ address: IPAddress?) {
      guard let device, let address, let node = nodes[vm], let link = node.namespace.indices[device],
        ends[vm, default: []].insert(address).inserted
      else { return }
      let entry = Entry(link: link, address: address)
      if !node.known.contains(entry) { request(&batches[vm, default: Batch()], entry, address) }
    }
    for path in paths {
      add(path.sender, path.outgoing, path.address)
      if path.isAllowed { add(path.target, path.incoming, path.source) }
    }
    for (vm, batch) in batches { _ = try nodes[vm]?.namespace.connection.perform(batch) }
  }
}
