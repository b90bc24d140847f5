/// Where packets are watched: a device of a node.
public struct CapturePoint: Hashable, Codable, Sendable, CustomStringConvertible {
  /// Which device, in words that hold for every datapath.
  package enum Place: Hashable, Sendable {
    /// The VM's interface on a network, or its first one.
    case port(network: String?)
    /// A host-side device of the VM's port (the first, or the one on a network).
    case fabric(FabricRole, network: String?)
    /// A device by its name in the node.
    case device(String)
  }

  /// A host-side device of a port.
  package enum FabricRole: String, Hashable, Codable, Sendable {
    case tap, qbr, qvb, qvo
  }

  /// A VM, or with `.device` any node.
  package var node: String
  package var place: Place

  public var description: String {
    switch place {
    case .port(let network): network.map { "\(node) on \($0)" } ?? node
    case .fabric(let role, let network): "\(role) of \(node)" + (network.map { " on \($0)" } ?? "")
    case .device(let name): "\(node):\(name)"
    }
  }
}

/// Something packets can be watched at.
public protocol CapturePointReference {
  var capturePoint: CapturePoint { get }
}

extension CapturePoint: CapturePointReference {
  public var capturePoint: CapturePoint { self }
}
extension String: CapturePointReference {
  public var capturePoint: CapturePoint { CapturePoint(node: self, place: .port(network: nil)) }
}
extension VM: CapturePointReference {
  public var capturePoint: CapturePoint { name.capturePoint }

  /// The VM's interface on a network.
  public func interface(on network: some NetworkReference) -> CapturePoint {
    CapturePoint(node: name, place: .port(network: network.networkName))
  }
  /// A device inside the VM by name, such as `eth0.100`.
  public func device(_ device: String) -> CapturePoint { CapturePoint(node: name, place: .device(device)) }

  /// The host's end of the VM's cable.
  public var tap: CapturePoint { CapturePoint(node: name, place: .fabric(.tap, network: nil)) }
  /// The bridge of the VM's port (hybrid).
  public var qbr: CapturePoint { CapturePoint(node: name, place: .fabric(.qbr, network: nil)) }
  /// The port's veth end in its `qbr` (hybrid).
  public var qvb: CapturePoint { CapturePoint(node: name, place: .fabric(.qvb, network: nil)) }
  /// The port's veth end in `br-int` (hybrid).
  public var qvo: CapturePoint { CapturePoint(node: name, place: .fabric(.qvo, network: nil)) }
}
extension Host {
  /// A device of the host by name, such as `br-int`.
  public func device(_ device: String) -> CapturePoint { CapturePoint(node: name, place: .device(device)) }
}

/// What a capture must have seen.
public enum Sighting: Hashable, Sendable, CustomStringConvertible {
  case exactly(Int)
  case atLeast(Int)
  /// Nothing; proved by a witness frame that the same capture does see.
  case nothing

  public var description: String {
    switch self {
    case .exactly(let count): "exactly \(count) packet\(count == 1 ? "" : "s")"
    case .atLeast(let count): "at least \(count) packet\(count == 1 ? "" : "s")"
    case .nothing: "nothing"
    }
  }

  package func admits(_ count: Int) -> Bool {
    switch self {
    case .exactly(let wanted): count == wanted
    case .atLeast(let wanted): count >= wanted
    case .nothing: count == 0
    }
  }
}

/// What `tcpdump` sees at a device while other checks run: `tcpdump -i DEVICE FILTER`, listening before the first packet is sent.
public struct Capture: Checks, CheckValue {
  package static let kind = "capture"

  package var point: CapturePoint
  /// In pcap's syntax; everything when empty.
  package var filter: String
  package var sighting: Sighting
  /// The checks that make the traffic. They must pass as well.
  package var stimulus: [Check]
  package var location: SourceLocation

  public init(
    at point: some CapturePointReference, filter: String = "",
    file: String = #filePath, line: Int = #line, column: Int = #column,
    @ChecksBuilder while stimulus: () -> CheckGroup
  ) {
    self.point = point.capturePoint
    self.filter = filter
    self.sighting = .atLeast(1)
    self.stimulus = stimulus().checkList
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  /// States what must be seen; at least one packet when this is not said.
  public func sees(_ sighting: Sighting) -> Capture {
    var capture = self
    capture.sighting = sighting
    return capture
  }

  package var title: String {
    "capture at \(point)\(filter.isEmpty ? "" : " '\(filter)'") sees \(sighting)".onOneLine
  }
  package var references: CheckReferences {
    let count =
      switch sighting {
      case .exactly(let count), .atLeast(let count): count
      case .nothing: 0
      }
    return CheckReferences(
      points: [point], filters: [filter], nested: stimulus, numbers: [("packet count", count, 0...1_000_000)])
  }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// Frames on a trunk carry a VLAN tag: `tcpdump -i DEVICE vlan VLAN` sees some, and sees none of the same traffic untagged.
public struct Tagged: Checks, CheckValue {
  package static let kind = "tagged"

  package var point: CapturePoint
  package var vlan: Int
  package var stimulus: [Check]
  package var location: SourceLocation

  public init(
    at point: some CapturePointReference, vlan: Int,
    file: String = #filePath, line: Int = #line, column: Int = #column,
    @ChecksBuilder while stimulus: () -> CheckGroup
  ) {
    self.point = point.capturePoint
    self.vlan = vlan
    self.stimulus = stimulus().checkList
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "frames at \(point) carry VLAN \(vlan)" }
  package var references: CheckReferences {
    CheckReferences(points: [point], nested: stimulus, numbers: [("vlan", vlan, 1...4094)])
  }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}

/// A third VM sees none of the unicast between two others, while it does see a broadcast from the same sender.
public struct NotFlooded: Checks, CheckValue {
  package static let kind = "notFlooded"

  package var from: String
  package var to: Endpoint
  package var observer: String
  package var location: SourceLocation

  public init(
    from: some NodeReference, to: some EndpointReference, observer: some NodeReference,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.from = from.nodeName
    self.to = to.endpoint
    self.observer = observer.nodeName
    self.location = SourceLocation(file: file, line: line, column: column)
  }

  package var title: String { "unicast \(from) → \(to) is not flooded to \(observer)" }
  package var references: CheckReferences {
    CheckReferences(vms: [from, observer], paths: [(from, to)])
  }
  package var isExclusive: Bool { true }
  public var checkGroup: CheckGroup { CheckGroup(self) }
}
