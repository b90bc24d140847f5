internal import Values

// Routes as iproute2 writes them.

extension Route.Kind: CustomStringConvertible {
  /// `blackhole`; the number of a kind without a name.
  public var description: String {
    switch self {
    case .unicast: "unicast"
    case .local: "local"
    case .broadcast: "broadcast"
    case .anycast: "anycast"
    case .multicast: "multicast"
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .prohibit: "prohibit"
    case .throw: "throw"
    default: "\(rawValue)"
    }
  }
}

extension Route.Source: CustomStringConvertible {
  /// `static`; the number of one without a name.
  public var description: String {
    switch self {
    case .redirect: "redirect"
    case .kernel: "kernel"
    case .boot: "boot"
    case .static: "static"
    case .routerAdvertisement: "ra"
    default: "\(rawValue)"
    }
  }
}

extension Route {
  /// The name of a table: `main`, or its number.
  public static func name(ofTable table: UInt32) -> String {
    switch table {
    case mainTable: "main"
    case localTable: "local"
    case defaultTable: "default"
    default: "\(table)"
    }
  }

  /// `default`, or the prefix.
  public var destinationText: String { destination.length == 0 ? "default" : "\(destination)" }

  /// Where it leads, as `ip route` writes it; `name` tells the names of links.
  public func text(_ name: (Int32) -> String?) -> String {
    let words = [
      kind == .unicast ? nil : "\(kind)", destinationText, gateway.map { "via \($0)" },
      link.flatMap(name).map { "dev \($0)" },
      [Self.mainTable, Self.localTable].contains(table) ? nil : "table \(table)",
    ]
    return words.compactMap { $0 }.joined(separator: " ")
  }
}
