import LabKernel
import LabModel
import Netlink

/// What a running lab should be, and what of what is found is the lab's.
package struct Expectation: Sendable {
  package let wanted: Blueprint
  let ownership: Ownership
  /// The settings of which the lab has, or had, an opinion.
  private let settings: [LabModel.Sysctl]

  /// - Parameter wanted: the lab's blueprint, with its mark.
  package init(_ wanted: Blueprint, of state: LabState) throws {
    let earlier = try state.earlier.map { try $0.resolved().blueprint() }
    self.wanted = wanted
    ownership = Ownership(of: [wanted] + earlier)
    let known = Set(wanted.sysctls.map { [$0.namespace, $0.key] })
    settings = wanted.sysctls + earlier.flatMap(\.sysctls).filter { !known.contains([$0.namespace, $0.key]) }
  }

  /// The paths of the settings below /proc/sys, by namespace.
  package var settingPaths: [String: [String]] {
    Dictionary(grouping: settings, by: \.namespace).mapValues { $0.map(\.path) }
  }

  /// What was read, in the lab's terms.
  package func observation(of kernel: KernelState) -> Observation {
    Observation(of: kernel, ownership: ownership, settings: settings)
  }
}
