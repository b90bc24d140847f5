import LabModel

extension Sysctl: KernelResource {
  /// They are read by their paths.
  package static let aspects: KernelState.Aspects = []

  package static func found(in node: ObservedNode) -> [Sysctl] {
    node.settings.map { setting in
      // A setting that the kernel does not have (no IPv6) is as if it were wanted so.
      Sysctl(
        namespace: node.name, key: setting.key, value: node.state.settings[setting.path] ?? setting.value)
    }
  }
}

extension Sysctl.Step: ExecutableStep {
  package static func execute(_ steps: [Self], by applier: inout Applier) throws(StepFailure) {
    try applier.write(steps.map(\.sysctl))
  }
}

extension Sysctl {
  /// The file below /proc/sys.
  package var path: String {
    let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
    return String(decoding: key.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }, as: UTF8.self)
  }
}
