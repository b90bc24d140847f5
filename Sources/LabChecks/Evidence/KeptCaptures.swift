import LabMachine
import Synchronization
import SystemPackage

/// The files in which a run keeps the packets of failed captures: under sudo, those of the user who called it.
final class KeptCaptures: Sendable {
  private let directory: String
  private let counts = Mutex<[String: Int]>([:])

  /// - Parameter directory: made when it is needed.
  init(in directory: String) { self.directory = directory }

  /// Writes captured packets to a file. Checks of a loop stand on one line: from the second one on the name has a number.
  ///
  /// - Returns: the file's path.
  func keep(_ bytes: [UInt8], as name: String) throws -> String {
    let count = counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name] ?? 1
    }
    let path = "\(directory)/\(count == 1 ? name : "\(name)-\(count)").pcap"
    guard let invoker = Invoker.current else {
      try write(bytes, to: path)
      return path
    }
    guard invoker.canBeTakenOn else { throw FileError("write \(path) as user \(invoker.id)", .notPermitted) }
    try invoker.accessingFiles { () throws(FileError) in try write(bytes, to: path) }
    return path
  }

  private func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    try Files.makeDirectories(directory, permissions: 0o755)
    try Files.remove(path)
    try Files.write(bytes, to: path, permissions: 0o644)
  }
}
