import LabKit
import Values

/// What ports have taken so far, in the whole lab. What is given anywhere is never chosen for another port.
struct PortClaims {
  var shortIDs: [String: Owner] = [:]
  var macs: [MACAddress: Owner] = [:]
  /// By VM and name: `focal-1 eth0`.
  var devices: [String: Owner] = [:]
  private let givenShortIDs: Set<String>
  private let givenMACs: Set<MACAddress>
  private let givenDevices: Set<String>
  private var devicesTried: [String: Int] = [:]

  init(_ document: LabDocument) {
    let subports = document.ports.lazy.flatMap(\.subports)
    let ids = document.ports.compactMap(\.id) + subports.compactMap(\.id)
    let macs = document.ports.compactMap(\.mac) + subports.compactMap(\.mac)
    givenShortIDs = Set(ids.compactMap { ObjectID.parse($0).map { String($0.prefix(11)) } })
    givenMACs = Set(macs.compactMap { MACAddress($0) })
    givenDevices = Set(document.ports.compactMap { port in port.device.map { "\(port.node) \($0)" } })
  }

  /// `eth0`, `eth1` … in the order of the VM's ports.
  mutating func freeDevice(of vm: String) -> String {
    while true {
      let device = "eth\(devicesTried[vm, default: 0])"
      devicesTried[vm, default: 0] += 1
      if !givenDevices.contains("\(vm) \(device)") { return device }
    }
  }

  func freeID(lab: String, key: String) -> String {
    for attempt in 0... {
      let id = ObjectID.derived(from: "port", lab, key, attempt: UInt64(attempt))
      let short = String(id.prefix(11))
      if shortIDs[short] == nil, !givenShortIDs.contains(short) { return id }
    }
    preconditionFailure("44 bits are more than a lab has ports")
  }

  /// An address from Neutron's base `fa:16:3e:00:00:00`, depending on the names alone.
  func freeMAC(lab: String, key: String) -> MACAddress {
    for attempt in 0... {
      let hash = StableHash.hash("mac", lab, key, seed: UInt64(attempt))
      let mac = MACAddress(value: 0xfa16_3e00_0000 | hash & 0xff_ffff)
      if macs[mac] == nil, !givenMACs.contains(mac) { return mac }
    }
    preconditionFailure("24 bits are more than a lab has ports")
  }
}

extension Resolver {
  /// The port's UUID; devices are named after its first 11 characters, so those must be free in the lab.
  mutating func id(_ text: String?, key: String, owner: Owner, claims: inout PortClaims) -> String {
    let given = text.flatMap { ObjectID.parse($0) }
    let id = given ?? claims.freeID(lab: document.name, key: key)
    if let text, given == nil {
      report(
        "port id '\(text)' is not a UUID", at: owner.location, fix: "leave it out, or write one such as \(id)"
      )
    }
    let short = String(id.prefix(11))
    if let other = claims.shortIDs.updateValue(owner, forKey: short) {
      report(
        "port id \(id) begins like that of \(described(other, from: owner.location)): both would be named tap\(short)",
        at: owner.location, fix: "leave it out, or change one of the first 11 characters")
    }
    return id
  }

  mutating func mac(_ text: String?, key: String, owner: Owner, claims: inout PortClaims) -> MACAddress {
    guard let text, let mac = MACAddress(text) else {
      let chosen = claims.freeMAC(lab: document.name, key: key)
      if let text {
        report(
          "'\(text)' is not a MAC address", at: owner.location,
          fix: "leave it out, or write one such as \(chosen)")
      }
      claims.macs[chosen] = owner
      return chosen
    }
    if let problem = mac.problem {
      let chosen = claims.freeMAC(lab: document.name, key: key)
      report("MAC \(mac) \(problem)", at: owner.location, fix: "leave it out, or write one such as \(chosen)")
    }
    if let other = claims.macs.updateValue(owner, forKey: mac) {
      report(
        "MAC \(mac) is already that of \(described(other, from: owner.location))", at: owner.location,
        fix: "leave it out, or write another one")
    }
    return mac
  }
}

extension MACAddress {
  /// Why no VM's interface can have the address; `nil` if one can.
  fileprivate var problem: String? {
    if isZero { return "is all zeros, which no interface can have" }
    if isMulticast { return "is a multicast address, which no interface can have" }
    // Otherwise both ends of the VM's cable would have the same address.
    if self == hostSide { return "begins with fe, which is for the host's end of a VM's cable" }
    return nil
  }
}
