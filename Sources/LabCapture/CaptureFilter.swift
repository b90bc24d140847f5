import LabKernel
import LabKit
import LabLifecycle
import LabMachine
import LabModel
import LabProcesses
import Netlink
import Values

/// A filter in pcap's syntax.
package enum CaptureFilter {
  /// What libpcap has against a filter, in its own words: `tcpdump -y EN10MB -d FILTER`. `nil` for a good one.
  ///
  /// It needs neither privileges nor a device. Without tcpdump on the machine every filter seems good.
  package static func problem(
    of filter: String, processes: ProcessRunner = ProcessRunner()
  ) async -> String? {
    guard
      let result = try? await processes.run(
        ["tcpdump", "-y", "EN10MB", "-d", "--", filter], environment: processes.toolEnvironment,
        timeout: .seconds(10)),
      result.status == .exited(1)
    else { return nil }
    let words = result.errorOutput.split(whereSeparator: \.isNewline).last ?? "not a filter"
    return words.hasPrefix("tcpdump: ") ? String(words.dropFirst("tcpdump: ".count)) : String(words)
  }
}
