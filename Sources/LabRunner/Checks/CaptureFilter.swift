/// A filter in pcap's syntax.
public enum CaptureFilter {
  /// What libpcap has against a filter, in its own words: `tcpdump -y EN10MB -d FILTER`. `nil` for a good one.
  ///
  /// It needs neither privileges nor a device. Without tcpdump on the machine every filter seems good.
  public static func problem(
    of filter: String, processes: ProcessRunner = ProcessRunner()
  ) async -> String? {
    guard
      let result = try? await processes.run(
        ["tcpdump", "-y", "EN10MB", "-d", "--", filter], timeout: .seconds(10)),
      result.status == .exited(1)
    else { return nil }
    let words = result.errorOutput.split(whereSeparator: \.isNewline).last ?? "not a filter"
    return words.hasPrefix("tcpdump: ") ? String(words.dropFirst("tcpdump: ".count)) : String(words)
  }

  /// A filter that lets the witness frame through, and what `filter` does.
  ///
  /// The witness comes first: a `vlan` in a filter moves the offsets of all that follows it.
  static func withWitness(_ filter: String) -> String {
    filter.isEmpty ? "" : "ether proto \(Frame.witnessTypeText) or (\(filter))"
  }
}
