import LabMachine
import LabModel

extension Setup: KernelResource {
  package static let aspects: KernelState.Aspects = []
  /// Namespaces know nothing of them: see `observe`.
  package static func found(in node: ObservedNode) -> [Setup] { [] }
}

extension Setup.Step: ExecutableStep {
  package static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure) {
    for step in steps {
      try applier.run(step) { programs, namespace throws(RunnerError) in
        if let namespace { try programs.run(step.setup, in: namespace) }
      }
    }
  }
}

extension Setup {
  /// The wanted ones that were done in the namespaces that there are now.
  package static func observe(
    _ wanted: [Setup], in folder: LabFolder, _ namespaces: OpenNamespaces
  ) -> [Setup] {
    wanted.filter { setup in
      guard let namespace = namespaces[setup.namespace],
        let number = try? Files.read("\(folder.setups)/\(setup.node)", limit: 64, followingLinks: false)
      else { return false }
      return String(decoding: number, as: UTF8.self) == "\(namespace.number)"
    }
  }
}
