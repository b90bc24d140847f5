/// Frames at a device carry a VLAN tag: `tcpdump -i DEVICE -e vlan VLAN` sees some, and the same traffic never passes
/// untagged.
///
///     Tagged(at: trunk, vlan: 100) { Ping(from: trunk, to: web) }
public struct Tagged: Checks, CheckValue {
  package static let kind = "tagged"

  package var point: CapturePoint
  package var vlan: Int
  package var stimulus: [Check]
  package var location: SourceLocation

  /// - Parameters:
  ///   - point: A VM's interface, a host's device of a VM's port, or any device of a node by name.
  ///   - vlan: The tag, from 1 to 4094.
  ///   - stimulus: The checks that make the traffic. They must pass as well.
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
