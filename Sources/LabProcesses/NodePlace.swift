/// Where a command of a lab runs: in the network of a node, with the names that the node knows, among the lab's processes.
package struct NodePlace: Hashable, Sendable {
  /// The path of a network namespace, such as `/run/netns/two-vms.focal-1`.
  package var namespace: String
  /// Where the lab's keeper listens; `nil` where the command is to be among the machine's processes.
  package var keeper: String?
  /// A folder of files that cover those of /etc.
  package var etc: String?
  package var hostname: String?

  package init(namespace: String, keeper: String? = nil, etc: String? = nil, hostname: String? = nil) {
    self.namespace = namespace
    self.keeper = keeper
    self.etc = etc
    self.hostname = hostname
  }

  /// As `netlab-exec` takes it.
  var arguments: [String] {
    let options = [
      ("--keeper", keeper), ("--netns", namespace), ("--etc", etc), ("--hostname", hostname),
    ]
    return options.flatMap { option, value in value.map { [option, $0] } ?? [] }
  }
}
