import LabProcesses

/// Where a lab keeps what its programs need and leave.
package struct LabFolder: Sendable {
  /// The socket at which the lab's keeper listens.
  package var keeper: String
  /// The output of services and setups.
  package var logs: String
  /// The files that cover those of /etc in the lab's nodes.
  package var etc: String
  /// What tells for which VMs the setup was done.
  package var setups: String

  package init(keeper: String, logs: String, etc: String, setups: String) {
    self.keeper = keeper
    self.logs = logs
    self.etc = etc
    self.setups = setups
  }

  package func log(of program: String) -> String { "\(logs)/\(program).log" }
}
