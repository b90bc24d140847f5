import Foundation
import LabKernel
import LabKit
import LabModel
import Testing
import Values

extension Trait where Self == ConditionTrait {
  /// Runs a test only on a kernel that can do what it needs, and notes that it did.
  ///
  /// `make test` runs everything on the host's kernel and on the sandbox's, and fails when a feature was exercised on neither.
  package static func needs(_ features: KernelFeature...) -> Self {
    .enabled("this kernel cannot do \(features.map(\.rawValue).joined(separator: ", "))") {
      guard features.allSatisfy(available.contains) else { return false }
      for feature in features { note(feature) }
      return true
    }
  }
}

/// What this kernel can do, found by trying, once.
private let available = Set(KernelFeature.allCases).subtracting(
  KernelProbe.missing(Set(KernelFeature.allCases)))

/// Adds a line to the log that tells, over all runs, which features were exercised.
private func note(_ feature: KernelFeature) {
  guard let path = ProcessInfo.processInfo.environment["NETLAB_FEATURE_LOG"] else { return }
  let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
  let log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  try? log.write(contentsOf: Data("\(feature.rawValue)\n".utf8))
}
