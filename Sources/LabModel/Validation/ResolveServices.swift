import LabKit

extension Resolver {
  /// Services: their nodes, names and commands, and an order in which each comes after those that it needs.
  mutating func resolveServices() {
    var owners: [String: Owner] = [:]
    var known: [String: Int] = [:]
    for (index, service) in document.services.enumerated() {
      guard hasNode(of: service) else { continue }
      if let problem = NameRule.service.problem(of: service.name) {
        report(
          "the service's name '\(service.name)' \(problem)", at: service.location,
          fix: NameRule.service.fix(for: service.name) ?? "give it one: name: \"server\"")
      }
      let other = owners.updateValue(
        Owner(what: "a service of \(service.node)", location: service.location), forKey: service.fullName)
      if let other {
        report(
          "'\(service.name)' is already the name of \(described(other, from: service.location))",
          at: service.location, fix: "give one of them a name of its own: name: \"\(service.name)-2\"")
      }
      known[service.fullName] = known[service.fullName] ?? index
      for problem in service.problems { report(problem.text, at: service.location, fix: problem.fix) }
    }
    let needs = document.services.map { service in
      service.needs.compactMap { need in known[need] ?? known["\(service.node).\(need)"] }
    }
    for (service, found) in zip(document.services, needs) where found.count < service.needs.count {
      for need in service.needs where known[need] == nil && known["\(service.node).\(need)"] == nil {
        report(
          "\(service.fullName) needs '\(need)', which is no service of the lab", at: service.location,
          fix: suggestion(for: need, among: document.services.map(\.fullName), what: "service"))
      }
    }
    orderServices(by: needs)
  }

  private mutating func hasNode(of service: Service) -> Bool {
    let names = nodes.map(\.name)
    if names.contains(service.node) { return true }
    report(
      "there is no node '\(service.node)'", at: service.location,
      fix: suggestion(for: service.node, among: names, what: "node"))
    return false
  }

  private mutating func orderServices(by needs: [[Int]]) {
    var visited: [Int: Bool] = [:]  // false: its needs are being visited
    func visit(_ index: Int) {
      guard visited[index] == nil else { return }
      visited[index] = false
      for need in needs[index] {
        if visited[need] == false {
          report(
            "\(document.services[index].fullName) needs \(document.services[need].fullName), which waits for it",
            at: document.services[index].location, fix: "leave one of the two needs out")
        } else {
          visit(need)
        }
      }
      visited[index] = true
      services.append(document.services[index])
    }
    for index in document.services.indices { visit(index) }
  }

  /// What VMs are beside their ports.
  mutating func resolveMachines() {
    for case let vm as VM in nodes.map(\.declaration) {
      if let hostname = vm.hostname, let problem = NameRule.hostname.problem(of: hostname) {
        report(
          "the host name '\(hostname)' \(problem)", at: vm.location, fix: NameRule.hostname.fix(for: hostname)
        )
      }
      for (key, value) in (vm.sysctls ?? [:]).sorted(by: { $0.key < $1.key }) {
        if !Sysctl.isOfNetwork(key) {
          report(
            "'\(key)' is no setting of a network", at: vm.location,
            fix: "write it as `sysctl` does: net.ipv4.ip_forward; others are the whole machine's")
        }
        if value.utf8.contains(where: { $0 < 32 && $0 != 9 }) || value.isEmpty {
          report("the value of \(key) cannot be written", at: vm.location, fix: "write one line: \"1\"")
        }
      }
      for command in vm.setup ?? [] where command.utf8.contains(0) || command.allSatisfy(\.isWhitespace) {
        report(
          "a setup command of '\(vm.name)' is no command for a shell", at: vm.location, fix: "leave it out")
      }
    }
  }
}

extension NameRule {
  static let service = NameRule(limit: 63, signs: "-_.", reserved: ["setup"])
  static let hostname = NameRule(limit: 64, signs: "-_.", reserved: [])
}

extension Service {
  /// What is wrong with it, whatever else the lab has.
  fileprivate var problems: [(text: String, fix: String)] {
    var problems: [(text: String, fix: String)] = []
    if command.first?.isEmpty ?? true {
      problems.append(("there is no command to run", "name a program: \(node).runs(\"sleep\", \"1000\")"))
    }
    let texts = command + environment.map { "\($0)=\($1)" } + [directory]
    if texts.contains(where: { $0.utf8.contains(0) }) {
      problems.append(("a command and its surroundings cannot contain U+0000", "leave it out"))
    }
    if texts.reduce(0, { $0 + $1.utf8.count }) > 100_000 {
      problems.append(("the command is longer than 100000 bytes", "put what is long in a file"))
    }
    for name in environment.keys.sorted() where name.isEmpty || name.contains("=") {
      problems.append(("'\(name)' cannot be the name of a variable", "write letters, digits and '_'"))
    }
    if !directory.hasPrefix("/") {
      problems.append(("the folder '\(directory)' is relative, and to nothing", "write it from / on"))
    }
    if let problem = ready?.problem { problems.append(problem) }
    return problems
  }
}

extension Readiness {
  fileprivate var problem: (text: String, fix: String)? {
    switch self {
    case .tcp(let port), .udp(let port):
      (1...65535).contains(port) ? nil : ("there is no port \(port)", "write one from 1 to 65535")
    case .unixSocket(let path):
      path.hasPrefix("/") && !path.utf8.contains(0)
        ? nil : ("the socket '\(path)' is relative, and to nothing", "write it from / on")
    case .line(let text):
      text.isEmpty || text.contains(where: \.isNewline)
        ? ("'\(text)' cannot be looked for in a line", "write what the line has in it") : nil
    case .succeeds(let command):
      (command.first?.isEmpty ?? true) || command.contains { $0.utf8.contains(0) }
        ? ("there is no command that could succeed", "write its arguments: .command(\"curl\", \"…\")") : nil
    }
  }
}
