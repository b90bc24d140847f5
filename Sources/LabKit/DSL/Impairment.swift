/// How a port treats the packets that leave its VM through it, as on a long, bad or slow link.
///
/// Made by ``Impairable/impaired(delay:jitter:loss:duplicate:reorder:corrupt:rate:limit:file:line:column:)``.
public struct Impairment: Hashable, Codable, Sendable {
  /// In nanoseconds.
  package var delay: Int?
  /// In nanoseconds.
  package var jitter: Int?
  /// In percent, as are the next three.
  package var loss: Double?
  package var duplicate: Double?
  package var reorder: Double?
  package var corrupt: Double?
  package var rate: BitRate?
  /// In packets.
  package var limit: Int?
  package var location: SourceLocation

  package init(at location: SourceLocation) { self.location = location }
}

/// What can be impaired: a port, a subport, or a network, which means each port on it.
public protocol Impairable {
  func impaired(by impairment: Impairment) -> Self
}

extension Impairable {
  /// Delays, damages or slows down the packets that **leave** a VM through a port: `tc qdisc add dev eth0 root netem …`
  /// in the VM, or `tbf` where only a rate is given.
  ///
  /// Packets *towards* the VM are not touched. Impairing a network impairs each of its ports, so every packet on it is
  /// impaired once: with a delay of 10 ms a round trip takes 20 ms. Impairing one port of two impairs one direction.
  ///
  ///     let wan = Network("wan", subnet: "10.9.0.0/24").impaired(delay: .milliseconds(10), loss: 0.1)
  ///     web.port(on: wan).impaired(rate: .megabits(10))
  ///
  /// What a port says replaces all that its network says: above, `web` has no delay. `impaired(loss: 0)` exempts a port.
  /// A packet of a subport meets the subport's impairment, then its parent's. Needs a kernel with netem
  /// (`netlab sandbox` has one); a rate alone needs tbf only.
  ///
  /// - Parameters:
  ///   - delay: How long each packet waits, up to a minute.
  ///   - jitter: By how much the delay varies, both ways; needs a delay. Packets overtake each other.
  ///   - loss: The share of packets that get lost, in percent. So are the next three.
  ///   - duplicate: Packets that are sent twice.
  ///   - reorder: Packets that do not wait, and so overtake others; needs a delay.
  ///   - corrupt: Packets in which one bit is flipped.
  ///   - rate: The most that is sent, from 8 kbit/s to 100 Gbit/s, Ethernet headers included.
  ///   - limit: How many packets may wait; what comes then is dropped. 1000 when absent, and 100 ms of the rate where only
  ///     a rate is given.
  public func impaired(
    delay: Duration? = nil, jitter: Duration? = nil, loss: Double? = nil, duplicate: Double? = nil,
    reorder: Double? = nil, corrupt: Double? = nil, rate: BitRate? = nil, limit: Int? = nil,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) -> Self {
    var impairment = Impairment(at: SourceLocation(file: file, line: line, column: column))
    impairment.delay = delay?.wholeNanoseconds
    impairment.jitter = jitter?.wholeNanoseconds
    impairment.loss = loss?.inJSON
    impairment.duplicate = duplicate?.inJSON
    impairment.reorder = reorder?.inJSON
    impairment.corrupt = corrupt?.inJSON
    impairment.rate = rate
    impairment.limit = limit
    return impaired(by: impairment)
  }
}

extension Network: Impairable {
  public func impaired(by impairment: Impairment) -> Network {
    var network = self
    network.impairment = impairment
    return network
  }
}

extension Subport: Impairable {
  public func impaired(by impairment: Impairment) -> Subport {
    var subport = self
    subport.impairment = impairment
    return subport
  }
}

extension PortPlacement: Impairable {
  public func impaired(by impairment: Impairment) -> PortPlacement {
    PortPlacement(
      declarations: declarations.map { declaration in
        guard case .port(var port) = declaration else { return declaration }
        port.impairment = impairment
        return .port(port)
      })
  }
}

extension Duration {
  /// Rounded down, and bounded so that any duration fits.
  package var wholeNanoseconds: Int {
    let (seconds, attoseconds) = components
    return Int(min(max(seconds, -1_000_000), 1_000_000)) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
  }
}

extension Double {
  /// JSON has no infinity, and no NaN. Neither is a share, so a number that is none stands for them.
  fileprivate var inJSON: Double { isFinite ? self : -1 }
}
