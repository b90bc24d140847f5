import LabInspect
import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// What decides about packets in all of a lab's namespaces, as it was at one moment: plain values, so that
/// prediction is a pure function.
struct KernelSnapshot: Sendable {
  var lab: String
  var nodes: [String: NodeSnapshot] = [:]
  /// The namespaces that are VMs.
  var virtualMachines: Set<String> = []

  subscript(place: Place) -> Device? { nodes[place.namespace]?.devices[place.index] }

  /// The device of a name.
  func place(_ namespace: String, _ device: String) -> Place? {
    nodes[namespace]?.devices.values.first { $0.name == device }.map {
      Place(namespace: namespace, index: $0.index)
    }
  }

  /// The name of a node without the lab's.
  func node(_ namespace: String) -> String { String(namespace.dropFirst(lab.count + 1)) }

  /// `qvo585e6e2e-a6`, and for what several nodes have `eth0 of focal-1`.
  func label(_ place: Place) -> String {
    let name = self[place]?.name ?? "ifindex \(place.index)"
    let isAmbiguous = virtualMachines.contains(place.namespace) || self[place]?.kind == .loopback
    return isAmbiguous ? "\(name) of \(node(place.namespace))" : name
  }

  /// The ports of a bridge: the newest first, as the kernel goes through them.
  func ports(of bridge: Place) -> [Place] {
    (nodes[bridge.namespace]?.devices.values ?? [:].values).filter { $0.master == bridge.index }
      .map { Place(namespace: bridge.namespace, index: $0.index) }.sorted { $0.index > $1.index }
  }

  /// The VLAN subinterfaces of a device.
  func subinterfaces(of parent: Place) -> [Place] {
    (nodes[parent.namespace]?.devices.values ?? [:].values).filter {
      if case .vlan(_, let index) = $0.kind { index == parent.index } else { false }
    }.map { Place(namespace: parent.namespace, index: $0.index) }.sorted { $0.index < $1.index }
  }

  /// The devices on which an IP stack could get what leaves by a device, if nothing stood in the way.
  func reach(from device: Place) -> Set<Place> {
    var found: Set<Place> = []
    var visited: Set<Place> = [device]
    var queue = [device]
    func add(_ place: Place?) {
      if let place, visited.insert(place).inserted { queue.append(place) }
    }
    while let next = queue.popLast() {
      guard let current = self[next] else { continue }
      // What leaves a subinterface leaves its parent.
      if case .vlan(_, let parent) = current.kind {
        add(Place(namespace: next.namespace, index: parent))
        continue
      }
      guard case .veth(let peer?) = current.kind, visited.insert(peer).inserted else { continue }
      for arrival in [peer] + subinterfaces(of: peer) {
        if let master = self[arrival]?.master {
          for port in ports(of: Place(namespace: arrival.namespace, index: master)) where port != arrival {
            add(port)
          }
        } else {
          found.insert(arrival)
        }
      }
    }
    return found
  }
}

/// One namespace.
struct NodeSnapshot: Sendable {
  var devices: [Int32: Device] = [:]
  var addresses: [LinkAddress] = []
  var routes: [Netlink.Route] = []
  var rules: [Rule] = []
  var neighbours: [NeighbourKey: NeighbourEntry] = [:]
  var forwarding: [ForwardingKey: ForwardingPort] = [:]
  /// By path below /proc/sys; what the kernel does not have is not there.
  var settings: [String: String] = [:]
  var hooks: [PacketHook] = []

  func isOn(_ setting: String) -> Bool { (settings[setting] ?? "0") != "0" }
  func number(_ setting: String) -> Int { Int(settings[setting] ?? "0") ?? 0 }

  func address(_ address: IPAddress) -> LinkAddress? {
    addresses.first { $0.address.address == address }
  }
}

struct Device: Sendable {
  var index: Int32
  var name: String
  var kind: Kind
  var mac = MACAddress(value: 0)
  var mtu = 1500
  var isUp = true
  var hasCarrier = true
  var usesARP = true
  var isPromiscuous = false
  /// The ifindex of its bridge.
  var master: Int32?
  var port: Port?
  var reversePathFilter = 0
  var arpIgnore = 0
  var forwards = false
  var disablesIPv6 = false

  enum Kind: Sendable, Equatable {
    case loopback
    /// nil: the other end is outside of the lab.
    case veth(peer: Place?)
    case bridge(Bridge)
    case vlan(id: Int, parent: Int32)
    case other(String)
  }

  struct Bridge: Sendable, Equatable {
    var filtersVLANs = false
    /// In hundredths of a second; 0: learns nothing.
    var ageing = 30000
    var hasSTP = false
    var snoops = false
    /// Whether bridged packets pass the chains of the families ip and inet (br_netfilter).
    var callsIPTables = false
    /// The VLANs of the bridge itself.
    var vlans: [Int: VLANFlags] = [:]
  }

  struct VLANFlags: Sendable, Equatable {
    var isPVID: Bool
    var isUntagged: Bool
  }

  /// What a bridge does at one of its ports.
  struct Port: Sendable, Equatable {
    var options = BridgePortOptions(state: .forwarding)
    var vlans: [Int: VLANFlags] = [:]

    var state: BridgePortOptions.State { options.state ?? .forwarding }

    func isOn(_ flag: BridgePortOptions.Flag) -> Bool { options[flag] ?? flag.isUsual }

    var pvid: Int? { vlans.first { $0.value.isPVID }?.key }

    /// As `bridge vlan show` writes it: `1 PVID Egress Untagged`.
    var vlanText: String {
      vlans.isEmpty
        ? "none"
        : vlans.sorted { $0.key < $1.key }.map {
          "\($0.key)\($0.value.isPVID ? " PVID" : "")\($0.value.isUntagged ? " Egress Untagged" : "")"
        }.joined(separator: ", ")
    }
  }
}

struct NeighbourKey: Hashable, Sendable {
  var device: Int32
  var address: IPAddress
}

struct NeighbourEntry: Sendable {
  /// nil while it is not known.
  var mac: MACAddress?
  var state: NeighbourState
  var isPermanent: Bool { state.contains(.permanent) }
}

struct ForwardingKey: Hashable, Sendable {
  var bridge: Int32
  var mac: MACAddress
  /// 0 where the bridge does not filter.
  var vlan: Int
}

struct ForwardingPort: Sendable {
  /// The port, or the bridge itself.
  var device: Int32
  /// The address is the bridge's own: frames go up.
  var isLocal = false
  var isSticky = false
  var kind = "dynamic"
}

/// A place where rules that netlab does not interpret look at packets.
struct PacketHook: Sendable, Hashable {
  enum Point: Sendable, Hashable {
    /// nftables: the family (`inet`, `ip`, `bridge` …) and the hook (`input`, `forward` …).
    case netfilter(family: String, hook: String)
    /// tc, by device: at the entrance (`ingress`), at the exit (`egress`), or the queue itself.
    case trafficControl(device: String, direction: String)

    var reason: DropReason { if case .netfilter = self { .netfilter } else { .trafficControl } }
  }
  var point: Point
  /// `nftables table bridge filter, chain forward`.
  var name: String
  /// The rules or filters that may drop, as their tool lists them.
  var suspects: [String]
  /// The command that shows more, without the namespace.
  var command: String
}
