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
  let namespaces: OpenNamespaces
  var world: KernelSnapshot

  /// Opens a running lab and reads all that decides about packets.
  static func open(_ name: String, _ lifecycle: Lifecycle, _ runner: ProcessRunner) async throws
    -> TraceSession
  {
    var session = try TraceSession(name, lifecycle)
    let reader = HookReader(runner: runner)
    for (name, namespace) in session.namespaces.byName {
      let devices = session.world.nodes[name]?.devices ?? [:]
      session.world.nodes[name]?.hooks = try await reader.hooks(of: namespace, devices)
    }
    return session
  }

  private init(_ name: String, _ lifecycle: Lifecycle) throws {
    let state = try lifecycle.state(of: name)
    lab = try state.document.resolved()
    namespaces = try Self.explainingPrivileges { try lifecycle.open(state) }
    world = try KernelSnapshot(of: lab, namespaces)
  }

  private static func explainingPrivileges<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as NetlinkError where error.codeName == "EPERM" {
      throw RunnerError(
        .environment, "cannot look into the lab's namespaces: \(error)",
        remedy: "Prediction reads them, which needs CAP_SYS_ADMIN: run it as root (sudo netlab trace …).")
    }
  }

  /// A VM, by its name or by one of its addresses.
  func sender(_ text: String) throws -> ResolvedNode {
    if let vm = lab.vm(text) { return vm }
    if let address = IPAddress(text) {
      if let owner = lab.port(owning: address) { return owner.vm }
      throw RunnerError(
        .usage, "no VM of the lab '\(lab.name)' has the address \(address)",
        remedy: "Give the name of a VM: \(vmNames).")
    }
    throw unknown(text)
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
      throw unknown(text)
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

  private var vmNames: String { lab.vms.map(\.name).joined(separator: ", ") }

  private func unknown(_ text: String) -> RunnerError {
    let isHost = lab.hosts.contains { $0.name == text }
    return RunnerError(
      .usage,
      isHost
        ? "'\(text)' is a host: packets are traced from VM to VM"
        : "the lab '\(lab.name)' has no VM '\(text.terminalSafe)'",
      remedy: nearest(to: text, in: lab.vms.map(\.name)).map { "Did you mean '\($0)'?" }
        ?? "It has \(vmNames).")
  }
}
