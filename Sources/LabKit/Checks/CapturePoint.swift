/// Where packets are watched: a device of a node.
///
///     Capture(at: web) { … }                      // its first interface
///     Capture(at: web.interface(on: back)) { … }
///     Capture(at: web.tap) { … }                  // the host's end of its cable
///     Capture(at: compute.device("br-int")) { … }
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

/// What packets can be watched at: a VM (its first interface), its name as text, or a ``CapturePoint``.
public protocol CapturePointReference {
  /// Where it is.
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

extension CapturePoint.Place: Codable {
  private enum Key: CodingKey { case network, fabric, device }

  /// `{"device": "br-int"}`, `{"fabric": "tap", "network": "int_net"}` or `{"network": "int_net"}`; the network may be absent.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let network = try container.decodeIfPresent(String.self, forKey: .network)
    if let device = try container.decodeIfPresent(String.self, forKey: .device) {
      self = .device(device)
    } else if let role = try container.decodeIfPresent(CapturePoint.FabricRole.self, forKey: .fabric) {
      self = .fabric(role, network: network)
    } else {
      self = .port(network: network)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .device(let device): try container.encode(device, forKey: .device)
    case .fabric(let role, let network):
      try container.encode(role, forKey: .fabric)
      try container.encodeIfPresent(network, forKey: .network)
    case .port(let network): try container.encodeIfPresent(network, forKey: .network)
    }
  }
}
