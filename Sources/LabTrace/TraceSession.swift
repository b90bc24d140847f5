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

/// A running lab, open for looking at packets.
struct TraceSession {
  let lab: ResolvedLab
  let expectation: Expectation
  let namespaces: OpenNamespaces
  /// What was read, before anything was sent.
  private(set) var kernel: KernelState
  var world: KernelSnapshot

  /// Opens a running lab and reads all that decides about a packet between two of its VMs.
  ///
  /// - Parameters:
  ///   - from: the VM that sends, by name or address.
  ///   - to: the VM that is to get it, by name or address, or what else there is to send to.
  static func open(
    _ name: String, from: String, to: String, _ lifecycle: Lifecycle, _ runner: ProcessRunner
  ) async throws -> TraceSession {
    let state = try lifecycle.state(of: name)
    let lab = try state.document.resolved()
    let sender = try lab.sender(from)
    let receiver = lab.vm(to) ?? IPAddress(to).flatMap { lab.port(owning: $0)?.vm }
    let scope = TraceScope(of: lab, around: [sender, receiver].compactMap { $0 })
    var session = try TraceSession(lab, state, lifecycle, of: scope.isWhole ? nil : scope.namespaces)
    if !scope.isWhole {
      let observation = session.expectation.observation(of: session.kernel)
      if !scope.holds(in: observation, wanted: session.expectation.wanted) {
        session = try TraceSession(lab, state, lifecycle)
      }
    }
    let address = try? lab.address(of: to.endpoint, from: sender.name)
    return try await session.readingStacks(.stack, ofThoseWith: address, and: sender, runner)
  }

  /// Opens a running lab and reads all that decides about packets, and all of which the lab has an opinion.
  static func openAll(
    _ name: String, _ lifecycle: Lifecycle, _ runner: ProcessRunner
  ) async throws -> TraceSession {
    let state = try lifecycle.state(of: name)
    let session = try TraceSession(state.document.resolved(), state, lifecycle)
    return try await session.readingStacks([.stack, .offloads], runner)
  }

  /// Reads to whom frames get.
  private init(
    _ lab: ResolvedLab, _ state: LabState, _ lifecycle: Lifecycle, of names: [String]? = nil
  ) throws {
    self.lab = lab
    expectation = try Expectation(lab.blueprint().marked(state.mark), of: state)
    do {
      namespaces = try lifecycle.open(state, only: names)
      kernel = try KernelState(namespaces)
      try kernel.read(.plugs, in: namespaces)
    } catch let error as NetlinkError where error.code == EPERM {
      throw RunnerError(
        .environment, "cannot look into the lab's namespaces: \(error)",
        remedy: "Prediction reads them, which needs CAP_SYS_ADMIN: run it as root (sudo netlab trace …).")
    }
    world = KernelSnapshot(lab: lab.name)
  }

  /// Reads aspects of all nodes, and all settings of interest.
  private consuming func readingStacks(
    _ aspects: KernelState.Aspects, _ runner: ProcessRunner
  ) async throws -> TraceSession {
    try read(aspects, settings: expectation.settingPaths, of: Set(kernel.nodes.keys))
    return await taken(of: Set(kernel.nodes.keys), runner)
  }

  /// Reads aspects of the nodes that can do something with a packet: hosts, the sender, who has the address or the
  /// gateway's, and who passes on what is not theirs. Where nobody has the address, it may be everybody's.
  private consuming func readingStacks(
    _ aspects: KernelState.Aspects, ofThoseWith address: IPAddress?, and sender: ResolvedNode,
    _ runner: ProcessRunner
  ) async throws -> TraceSession {
    var owners: [IPAddress: [String]] = [:]
    for node in kernel.nodes.values {
      for own in node.addresses { owners[own.address.address, default: []].append(node.name) }
    }
    let all = Set(kernel.nodes.keys)
    var unread = all
    if let address, let having = owners[address] {
      let hosts = lab.hosts.map { lab.namespace(of: $0.name) }
      let routers = kernel.nodes.values.filter(\.forwards).map(\.name)
      unread = all.intersection(hosts + [lab.namespace(of: sender.name)] + having + routers)
    }
    var known: Set<String> = []
    while !unread.isEmpty {
      try read(aspects, of: unread)
      known.formUnion(unread)
      let routes = unread.flatMap { kernel.nodes[$0]?.routes ?? [] }
      unread = Set(routes.compactMap(\.firstGateway).flatMap { owners[$0] ?? [] }).subtracting(known)
    }
    return await taken(of: known, runner)
  }

  private mutating func read(
    _ aspects: KernelState.Aspects, settings: [String: [String]] = [:], of names: Set<String>
  ) throws {
    var settings = settings
    for name in names { settings[name, default: []] += KernelSnapshot.settingPaths }
    try kernel.read(aspects, settings: settings, of: names, in: namespaces)
  }

  /// Takes what was read, with the rules in the way of packets that these nodes handle.
  private consuming func taken(of names: Set<String>, _ runner: ProcessRunner) async -> TraceSession {
    world = KernelSnapshot(kernel, of: lab)
    let reader = HookReader(runner: runner)
    for name in names {
      guard let node = kernel.nodes[name], let namespace = namespaces[name] else { continue }
      world.nodes[name]?.hooks = await reader.hooks(of: namespace, node)
    }
    return self
  }

  /// A device of a VM's.
  func device(_ name: String, of vm: ResolvedNode) throws -> Place {
    guard let place = world.place(lab.namespace(of: vm.name), name) else {
      throw RunnerError(
        .kernel, "VM '\(vm.name)' has no device \(name)",
        remedy: "`netlab status \(lab.name)` shows what is missing.")
    }
    return place
  }

  /// The address that a sender uses for a receiver, and the device that has it by the lab's own words.
  func receiver(_ text: String, from vm: ResolvedNode) throws -> (address: IPAddress, target: Place?) {
    let address: IPAddress
    do {
      address = try lab.address(of: text.endpoint, from: vm.name)
    } catch {
      if lab.vm(text) != nil {
        throw RunnerError(.usage, "\(error)", remedy: "Give a MAC address to trace a frame.")
      }
      throw lab.unknown(text)
    }
    return (address, place(of: address, at: text))
  }

  /// The device that has an address by the lab's own words: with one address in two networks, the named VM's.
  func place(of address: IPAddress, at name: String?) -> Place? {
    if let named = name.flatMap(lab.vm),
      let port = named.allPorts.first(where: { $0.addresses.contains { $0.address == address } })
    {
      return place(of: port, in: named)
    }
    return lab.port(owning: address).flatMap { place(of: $0.port, in: $0.vm) }
  }

  private func place(of port: ResolvedPort, in vm: ResolvedNode) -> Place? {
    world.place(lab.namespace(of: vm.name), port.device)
  }
}

extension NodeState {
  /// Whether it passes on packets that are not for itself.
  fileprivate var forwards: Bool {
    links.contains { $0.ipv4?.forwarding ?? 0 != 0 || $0.ipv6?.forwarding ?? 0 != 0 }
  }
}

extension ResolvedLab {
  /// A VM, by its name or by one of its addresses.
  func sender(_ text: String) throws -> ResolvedNode {
    if let vm = vm(text) { return vm }
    if let address = IPAddress(text) {
      if let owner = port(owning: address) { return owner.vm }
      throw RunnerError(
        .usage, "no VM of the lab '\(name)' has the address \(address)",
        remedy: "Give the name of a VM: \(vmNames).")
    }
    throw unknown(text)
  }

  private var vmNames: String { vms.map(\.name).joined(separator: ", ") }

  fileprivate func unknown(_ text: String) -> RunnerError {
    let isHost = hosts.contains { $0.name == text }
    return RunnerError(
      .usage,
      isHost
        ? "'\(text)' is a host: packets are traced from VM to VM"
        : "the lab '\(name)' has no VM '\(text.terminalSafe)'",
      remedy: didYouMean(text, among: vms.map(\.name))
        ?? "It has \(vmNames).")
  }
}
