/// A VM: a network namespace with one or more ports.
public struct VM: Topology, NodeReference, NodeDeclaration {
  package static let kind = "vm"
  package static let standsOnHost = true
  package var name: String
  /// The host it stands in directly (`Host("h") { vm }`); its ports may place it as well.
  package var host: String?
  /// What it calls itself; its name when absent.
  package var hostname: String?
  package var sysctls: [String: String]?
  /// Commands for `sh -c`, which run once.
  package var setup: [String]?
  package var location: SourceLocation

  /// - Parameters:
  ///   - name: letters, digits, `-` and `_`; its namespace is `LAB.NAME`. Other VMs of the lab find it by this name.
  ///   - hostname: What `hostname` prints in it; its name by default.
  ///   - sysctls: Settings of its network: `["net.ipv4.ip_forward": "1"]`.
  ///   - setup: Commands that run in it once, when it is new, one after the other and before any service or check. Each
  ///     is for `sh -c`. `up` fails, and undoes all, when one of them does.
  public init(
    _ name: String, hostname: String? = nil, sysctls: [String: String] = [:], setup: [String] = [],
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) {
    self.name = name
    self.hostname = hostname
    self.sysctls = sysctls.isEmpty ? nil : sysctls
    self.setup = setup.isEmpty ? nil : setup
    self.location = SourceLocation(file: file, line: line, column: column)
  }
}
