import LabModel

extension Namespace: KernelResource {
  package static let aspects: KernelState.Aspects = []

  package static func found(in node: ObservedNode) -> [Namespace] { [Namespace(name: node.name)] }
}

extension Namespace.Step: ExecutableStep {
  package static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure) {
    for step in steps {
      switch step {
      case .add(let namespace): applier.expect(namespace)
      case .delete(let namespace): try applier.unpin(namespace)
      }
    }
  }
}
