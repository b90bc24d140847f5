import CNetlink
import Glibc
import SystemPackage

/// A file that nobody else sees, for a process to read: nobody has to go on writing while it runs.
package enum MemoryFile {
  /// A descriptor that reads these bytes and then ends.
  package static func open(_ bytes: [UInt8]) throws -> FileDescriptor {
    let file = FileDescriptor(rawValue: cnl_open_memory())
    guard file.rawValue >= 0 else { throw FileError("make a file in memory") }
    do {
      try file.writeAll(bytes)
      try file.seek(offset: 0, from: FileDescriptor.SeekOrigin.start)
    } catch {
      try? file.close()
      throw error
    }
    return file
  }
}
