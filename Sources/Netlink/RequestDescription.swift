internal import CNetlink
internal import Glibc

/// Puts a request into words, for errors: what it says is read from the message itself, so that nothing has to
/// be kept for requests that succeed.
struct RequestDescription {
  let message: [UInt8]

  init(_ message: [UInt8]) { self.message = message }

  /// What is attempted, such as `create link qbrde4f2069-52 (bridge)`.
  var operation: String {
    withBytes(of: message) { bytes in
      guard let header = MessageHeader(bytes, at: 0) else { return "send a request" }
      let payload = bytes.extracting(MessageBuffer.headerLength..<header.length)
      if header.flags & NLM_F_DUMP == NLM_F_DUMP { return Self.name(of: header.type) }
      let isCreation = header.flags & NLM_F_CREATE != 0
      return switch header.type {
      case RTM_NEWLINK: isCreation ? Self.creation(of: payload) : Self.change(of: payload)
      case RTM_GETLINK: "get link \(Self.link(in: payload))"
      case RTM_SETLINK: Self.bridgeChange(of: payload)
      case RTM_DELLINK: Self.deletion(of: payload)
      case RTM_NEWLINKPROP: "add \(Self.alternativeName(in: payload))"
      case RTM_DELLINKPROP: "delete \(Self.alternativeName(in: payload))"
      case RTM_NEWADDR: "add address \(Self.address(in: payload))"
      case RTM_DELADDR: "delete address \(Self.address(in: payload))"
      case RTM_NEWROUTE: "add route \(Self.route(in: payload))"
      case RTM_DELROUTE: "delete route \(Self.route(in: payload))"
      case RTM_DELNEIGH where header.flags & NLM_F_BULK != 0:
        "flush forwarding entries of link \(payload.integer(at: 4, as: Int32.self) ?? 0)"
      case RTM_NEWNEIGH: "add \(Self.neighbour(in: payload))"
      case RTM_DELNEIGH: "delete \(Self.neighbour(in: payload))"
      case RTM_NEWQDISC: "\(isCreation ? "set" : "change") \(Self.qdisc(in: payload))"
      case RTM_DELQDISC: "delete \(Self.qdisc(in: payload))"
      case RTM_NEWNSID: "assign an id to a namespace"
      case RTM_GETNSID: "get the id of a namespace"
      default: Self.name(of: header.type)
      }
    }
  }

  /// What a request for a list attempts.
  static func name(of type: Int) -> String {
    switch type {
    case RTM_GETLINK: "list links"
    case RTM_GETADDR: "list addresses"
    case RTM_GETROUTE: "list routes"
    case RTM_GETRULE: "list rules"
    case RTM_GETNEIGH: "list neighbours"
    case RTM_GETQDISC: "list queueing disciplines"
    default: "request of type \(type)"
    }
  }

  private static func creation(of payload: RawSpan) -> String {
    var kind = ""
    var peer = ""
    payload.forEachAttribute(from: 16) { type, info in
      guard type == IFLA_LINKINFO else { return }
      info.forEachAttribute { type, value in
        if type == IFLA_INFO_KIND { kind = value.string }
        guard type == IFLA_INFO_DATA, kind == "veth" else { return }
        value.forEachAttribute { type, end in
          if type == VETH_INFO_PEER { peer = " with peer \(link(in: end))" }
        }
      }
    }
    return "create link \(link(in: payload)) (\(kind)\(peer))"
  }

  private static func change(of payload: RawSpan) -> String {
    var words: [String] = []
    let flags = payload.integer(at: 8, as: UInt32.self) ?? 0
    let change = payload.integer(at: 12, as: UInt32.self) ?? 0
    for (flag, on, off) in [(LinkFlags.up, "up", "down"), (.promiscuous, "promisc on", "promisc off")]
    where change & flag.rawValue != 0 {
      words.append(flags & flag.rawValue != 0 ? on : off)
    }
    payload.forEachAttribute(from: 16) { type, value in
      let number = value.integer(as: UInt32.self) ?? 0
      switch type {
      case IFLA_IFNAME: words.append("name \(value.string)")
      case IFLA_ADDRESS: words.append("address \(value.macAddress, default: "?")")
      case IFLA_MTU: words.append("mtu \(number)")
      case IFLA_GROUP: words.append("group \(number)")
      case IFLA_MASTER: words.append(number == 0 ? "nomaster" : "master \(number)")
      case IFLA_TXQLEN: words.append("txqueuelen \(number)")
      case IFLA_IFALIAS: words.append("alias \(value.string)")
      case IFLA_NET_NS_FD: words.append("another namespace")
      case IFLA_LINKINFO: words.append("bridge options")
      default: break
      }
    }
    let index = payload.integer(at: 4, as: Int32.self) ?? 0
    return "set link \(index): \(words.joined(separator: ", "))"
  }

  private static func bridgeChange(of payload: RawSpan) -> String {
    var isPortChange = false
    payload.forEachAttribute(from: 16) { type, _ in
      if type == IFLA_PROTINFO { isPortChange = true }
    }
    return isPortChange
      ? "set bridge port options of link \(link(in: payload))" : "add bridge \(vlans(in: payload))"
  }

  private static func deletion(of payload: RawSpan) -> String {
    if payload.integer(as: UInt8.self).map(CInt.init) == AF_BRIDGE {
      return "delete bridge \(vlans(in: payload))"
    }
    var group: UInt32?
    payload.forEachAttribute(from: 16) { type, value in
      if type == IFLA_GROUP { group = value.integer() }
    }
    return group.map { "delete the links of group \($0)" } ?? "delete link \(link(in: payload))"
  }

  /// The name of a link if the request has it, or its ifindex.
  private static func link(in payload: RawSpan) -> String {
    var result = String(payload.integer(at: 4, as: Int32.self) ?? 0)
    payload.forEachAttribute(from: 16) { type, value in
      if type == IFLA_IFNAME || type == IFLA_ALT_IFNAME { result = value.string }
    }
    return result
  }

  private static func alternativeName(in payload: RawSpan) -> String {
    var name = ""
    payload.forEachAttribute(from: 16) { _, list in
      list.forEachAttribute { _, value in name = value.string }
    }
    return "alternative name \(name) of link \(link(in: payload))"
  }

  private static func vlans(in payload: RawSpan) -> String {
    guard let port = PortVLANs(decoding: payload), let first = port.vlans.first, let last = port.vlans.last
    else { return "VLAN of link \(link(in: payload))" }
    let ids = first == last ? "\(first.first)" : "\(first.first)-\(last.last)"
    return "VLAN \(ids) of link \(port.link)"
  }

  private static func address(in payload: RawSpan) -> String {
    guard let address = LinkAddress(decoding: payload) else { return "" }
    return "\(address.address) of link \(address.link)"
  }

  private static func route(in payload: RawSpan) -> String {
    guard let route = Route(decoding: payload) else { return "" }
    var words = "\(route.destination)"
    if let gateway = route.gateway { words += " via \(gateway)" }
    if let link = route.link { words += " on link \(link)" }
    if route.table != Route.mainTable { words += " in table \(route.table)" }
    return words
  }

  private static func neighbour(in payload: RawSpan) -> String {
    if let neighbour = Neighbour(decoding: payload) {
      return "neighbour \(neighbour.address) of link \(neighbour.link)"
    }
    guard let entry = ForwardingEntry(decoding: payload) else { return "neighbour" }
    let vlan = entry.vlan.map { " in VLAN \($0)" } ?? ""
    return "forwarding entry \(entry.address)\(vlan) of link \(entry.link)"
  }

  private static func qdisc(in payload: RawSpan) -> String {
    guard let qdisc = Qdisc(decoding: payload) else { return "queueing discipline" }
    return "queueing discipline \(qdisc.kind.name)\(qdisc.kind.name.isEmpty ? "" : " ")of link \(qdisc.link)"
  }
}
