import LabModel

extension Sysctl: KernelResource {}

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
