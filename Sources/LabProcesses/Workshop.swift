/// Where a lab's code is compiled or runs: in namespaces of its own, without a network. It sees the machine's files, and can
/// change none of them; what it writes to the temporary folders vanishes with it.
///
/// Where the machine refuses namespaces, the code runs without them, and a line on standard error says so.
package struct Workshop: Sendable {
  /// A folder that the code does not see.
  package var hidden: String
  /// Folders that it sees even below a hidden or temporary one.
  package var shown: [String] = []
  /// Folders that it may change, as well.
  package var writable: [String] = []
  /// Bytes of each file that it writes.
  package var fileLimit = 64 << 20
  /// Processes and threads.
  package var processLimit = 256
  /// Whether nothing is said where the machine refuses namespaces.
  package var isSilent = false

  package init(hiding folder: String) { hidden = folder }

  var arguments: [String] {
    ["--workshop", "--hide", hidden] + (isSilent ? ["--silent"] : [])
      + shown.flatMap { ["--show", $0] } + writable.flatMap { ["--write", $0] }
      + ["--limit-file", "\(fileLimit)", "--limit-processes", "\(processLimit)"]
  }
}
