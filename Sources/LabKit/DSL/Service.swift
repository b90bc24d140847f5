/// A program that runs in a node as long as the lab is up, and that the rest of the lab may rely on when it is ready.
///
/// ```swift
/// web.runs("python3", "-m", "http.server", "80", ready: .tcp(80))
/// ```
public struct Service: Topology, ServiceReference, Hashable, Codable, Sendable {
  /// The name of the node.
  package var node: String
  /// What it is called in its node.
  package var name: String
  /// The program and its arguments, which pass through no shell.
  package var command: [String]
  /// What it has in its environment beside a PATH.
  package var environment: [String: String]
  package var directory: String
  /// The user it runs as; root when absent.
  package var user: String?
  /// When it is ready; as soon as it runs when absent.
  package var ready: Readiness?
  /// How long it may take until it is ready, in milliseconds.
  package var patience: Int
  /// The services that have to be ready first: `NODE.SERVICE`, or `SERVICE` for one of the same node.
  package var needs: [String]
  package var restart: Restart
  package var location: SourceLocation

  package init(
    node: String, name: String, command: [String], environment: [String: String] = [:],
    directory: String = "/", user: String? = nil, ready: Readiness? = nil, patience: Int = 10_000,
    needs: [String] = [], restart: Restart = .never, location: SourceLocation
  ) {
    self.node = node
    self.name = name
    self.command = command
    self.environment = environment
    self.directory = directory
    self.user = user
    self.ready = ready
    self.patience = patience
    self.needs = needs
    self.restart = restart
    self.location = location
  }

  /// Whether a service that has ended is started again, after a short while that doubles from 0.1 to 10 seconds.
  public enum Restart: String, Hashable, Codable, Sendable {
    case never
    /// Unless it exited with 0.
    case onFailure
    case always
  }

  /// `NODE.SERVICE`, which is unique in the lab.
  package var fullName: String { "\(node).\(name)" }

  public var serviceName: String { fullName }
  public var topologyGroup: TopologyGroup { TopologyGroup(declarations: [.service(self)]) }
}

/// A service by its declaration or by its name.
public protocol ServiceReference {
  var serviceName: String { get }
}

extension String: ServiceReference {
  public var serviceName: String { self }
}

extension NodeDeclaration {
  fileprivate func service(
    _ command: [String], _ name: String?, _ environment: [String: String], _ directory: String,
    _ user: String?, _ ready: Readiness?, _ patience: Duration, _ needs: [any ServiceReference],
    _ restart: Service.Restart, _ location: SourceLocation
  ) -> Service {
    let program = command.first?.split(separator: "/").last.map(String.init)
    return Service(
      node: self.name, name: name ?? program ?? "", command: command, environment: environment,
      directory: directory, user: user, ready: ready, patience: patience.wholeMilliseconds,
      needs: needs.map(\.serviceName), restart: restart, location: location)
  }
}

extension VM {
  /// Has a program run in the VM, from `up` to `down`. It is a part of the lab as a link is: `status` tells when it does
  /// not run, `up` starts it again, and starts it anew when something here has changed.
  ///
  /// Its output is kept, and shown by `netlab logs`.
  ///
  /// - Parameters:
  ///   - command: The program and its arguments, as they are: no shell sees them.
  ///   - name: What it is called in its node; by default the program's name.
  ///   - environment: What it has in its environment beside the PATH that `netlab up` has.
  ///   - directory: Where it runs.
  ///   - user: Whom it runs as; root when absent.
  ///   - ready: When it is ready; by default as soon as it runs.
  ///   - patience: How long it may take until then. `up` fails when it takes longer, or when it ends before.
  ///   - needs: Other services that have to be ready before it starts.
  ///   - restart: Whether it is started again when it ends.
  public func runs(
    _ command: String..., name: String? = nil, environment: [String: String] = [:], directory: String = "/",
    user: String? = nil, ready: Readiness? = nil, within patience: Duration = .seconds(10),
    needs: [any ServiceReference] = [], restart: Service.Restart = .never,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) -> Service {
    service(
      command, name, environment, directory, user, ready, patience, needs, restart,
      SourceLocation(file: file, line: line, column: column))
  }
}

extension Host {
  /// Has a program run on the host, from `up` to `down`; see ``VM/runs(_:name:environment:directory:user:ready:within:needs:restart:file:line:column:)``.
  public func runs(
    _ command: String..., name: String? = nil, environment: [String: String] = [:], directory: String = "/",
    user: String? = nil, ready: Readiness? = nil, within patience: Duration = .seconds(10),
    needs: [any ServiceReference] = [], restart: Service.Restart = .never,
    file: String = #filePath, line: Int = #line, column: Int = #column
  ) -> Service {
    service(
      command, name, environment, directory, user, ready, patience, needs, restart,
      SourceLocation(file: file, line: line, column: column))
  }
}

extension Duration {
  /// Rounded up; as many as an hour has at most, and none for less than nothing.
  fileprivate var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    guard seconds < 3600 else { return 3_600_000 }
    return max(0, Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
  }
}
